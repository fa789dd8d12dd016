import { setTimeout as sleep } from 'node:timers/promises'
import type { FileSinkOptions } from '../../../src/index.js'
import { type Answer, flood } from './flood.js'
import { ServerProcess } from './server-process.js'

/** Milliseconds: more than a server takes to open its trail and listen; how long it serves at most. */
const OPENING = 50
const SERVING = 120
/** Servers that are started in advance: until they are told to open, they only load their code. */
const SPARES = 2

export type SinkSettings = Partial<FileSinkOptions> & { path: string }

/** Has a server run on `path` so many times, floods it, and kills it at a moment of its life that chance picks; what was answered. */
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
    if (server !== undefined) await killOne(server, random, answers)
  }
  return answers
}

/** Every third server is killed while it opens its trail, the others under load. */
async function killOne(server: ServerProcess, random: () => number, answers: Answer[]): Promise<void> {
  await server.loaded()
  const port = server.open()
  const life = port.then((found) => (found === undefined ? undefined : live(found, random, answers)))
  const isServing = random() < 2 / 3
  if (isServing) await port
  await sleep(random() * (isServing ? SERVING : OPENING))
  server.kill('SIGKILL')
  const { code, signal } = await server.ended
  // Not by an error at its start, for one.
  if (signal !== 'SIGKILL') throw new Error(`the server ended by itself, with ${code}: ${server.complaints}`)
  await life
}

/** Floods a server until it is gone. */
async function live(port: number, random: () => number, answers: Answer[]): Promise<void> {
  const connections = 1 + Math.floor(random() * 8)
  const pipeline = 1 + Math.floor(random() * 32)
  // Long lines make for long writes, in the middle of which a process can die.
  const padding = random() < 0.5 ? 0 : 4000
  await flood(port, { connections, pipeline, padding, onAnswer: (answer) => answers.push(answer) })
}
