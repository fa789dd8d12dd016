import { watch } from 'node:fs'
import { dirname } from 'node:path'
import type { FileSinkOptions } from '../../../src/index.js'
import { type Answer, flood } from './flood.js'
import { ServerProcess } from './server-process.js'

/** Answers that a server gives at most; more changes to its directory than a server makes that opens its trail. */
const ANSWERS = 500
const CHANGES = 10
/** Servers that are started in advance: until they are told to open, they only load their code. */
const SPARES = 2

export type SinkSettings = Partial<FileSinkOptions> & { path: string }

/** Runs servers on `path` one after the other, floods each, and kills it at a random moment. Returns the answers. */
export async function killServers(
  program: string,
  count: number,
  sink: SinkSettings,
  random: () => number,
): Promise<Answer[]> {
  const answers: Answer[] = []
  const spares: ServerProcess[] = []
  for (let round = 0; round < count; round++) {
    while (spares.length < Math.min(1 + SPARES, count - round)) spares.push(new ServerProcess(program, { sink }))
    const server = spares.shift()
    if (server !== undefined) await killOne(server, dirname(sink.path), random, answers)
  }
  return answers
}

/** Every third server is killed while it opens its trail, the others under load. */
async function killOne(
  server: ServerProcess,
  directory: string,
  random: () => number,
  answers: Answer[],
): Promise<void> {
  await server.loaded()
  const kill = (): void => server.kill('SIGKILL')
  const isServing = random() < 2 / 3
  const moment = random()
  const stopWatching = isServing ? undefined : afterChanges(directory, Math.floor(moment * CHANGES), kill)
  const port = await server.open()
  const last = answers.length + (isServing ? Math.floor(moment * ANSWERS) : 0)
  const onAnswer = (answer?: Answer): void => {
    if (answer !== undefined) answers.push(answer)
    if (answers.length >= last) kill()
  }
  onAnswer()
  if (port !== undefined) await live(port, random, onAnswer)
  const { code, signal } = await server.ended
  stopWatching?.()
  // Not by an error at its start, for one.
  if (signal !== 'SIGKILL') throw new Error(`the server ended by itself, with ${code}: ${server.complaints}`)
}

/** Calls back after a number of changes to a directory; returns a function that ends the watch. */
function afterChanges(directory: string, count: number, done: () => void): () => void {
  if (count === 0) done()
  let changes = 0
  const watcher = watch(directory, () => {
    if (++changes === count) done()
  })
  return () => watcher.close()
}

/** Floods a server until it is gone. */
async function live(port: number, random: () => number, onAnswer: (answer: Answer) => void): Promise<void> {
  const connections = 1 + Math.floor(random() * 8)
  const pipeline = 1 + Math.floor(random() * 32)
  // Long lines make for long writes, in the middle of which a process can die.
  const padding = random() < 0.5 ? 0 : 4000
  await flood(port, { connections, pipeline, padding, onAnswer })
}
