import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ArchiveNames } from '../../src/sinks/file/names.js'
import { linesOf, temporaryDirectory } from '../sinks/file/world.js'
import { compiled } from '../support/process/compiled.js'
import { flood } from '../support/process/flood.js'
import type { Measure } from '../support/process/server-main.js'
import { ServerProcess } from '../support/process/server-process.js'

const MIB = 1024 * 1024
/** A step is so many requests, with two entries each; then the server measures itself. */
const REQUESTS = 25_000
const STEPS = 40
const CONNECTIONS = 16
/** Steps, with two entries for each request. */
const PER_100_000 = 100_000 / (2 * REQUESTS)
/** Until then memory grows because code is compiled and buffers find their size. */
const WARM_UP = 10

const program = await compiled()

/** The start of a line: what has a stage is about a request. */
const LINE = /^\{"created_at":.{20,100},"seq":(\d+),"payload":\{"id":"[^"]{36}","(?:stage":"(Operation)|type":")/

/** Every line has the number that follows the one before. */
class Account {
  entries = 0
  /** Lines that are about requests. */
  stages = 0

  constructor(private readonly names: ArchiveNames) {}

  /** Takes the archives away, as whoever collects them would: two million lines need no place on the disk at once. */
  collect(): void {
    for (const { name } of this.names.among(readdirSync(this.names.directory))) {
      this.take(name)
      rmSync(this.names.path(name))
    }
  }

  take(name: string): void {
    for (const line of linesOf(readFileSync(this.names.path(name), 'utf8'))) {
      const [, seq, type] = LINE.exec(line) ?? []
      if (Number(seq) !== ++this.entries) throw new Error(`line ${this.entries} of the trail is ${line.slice(0, 200)}`)
      if (type === 'Operation') this.stages++
    }
  }
}

it('holds no more memory and no more files after two million entries than after the first ones', async () => {
  const path = join(temporaryDirectory(), 'audit.log')
  // A small young generation, so that what lives shortly does not come and go by megabytes.
  const flags = ['--expose-gc', '--max-semi-space-size=4']
  const server = new ServerProcess(program, { sink: { path, rotateBytes: '20MiB' } }, flags)
  const port = (await server.open()) ?? 0
  const account = new Account(new ArchiveNames(path))
  const measures: Measure[] = []
  let answers = 0
  const onAnswer = ({ status }: { status: number }): void => {
    if (status !== 200) throw new Error(`answered with ${status}`)
    answers++
  }
  for (let step = 0; step < STEPS; step++) {
    // Connections come and go: each is a descriptor.
    await flood(port, { connections: CONNECTIONS, pipeline: 16, requestsPerConnection: 500, limit: REQUESTS, onAnswer })
    measures.push(await server.measured())
    account.collect()
  }
  server.order('close')
  expect(await server.ended, server.complaints).toEqual({ code: 0, signal: null })
  account.collect()
  account.take('audit.log')

  expect(answers).toBe(STEPS * REQUESTS)
  expect(account.stages).toBe(2 * answers)
  const settled = measures.slice(WARM_UP)
  expect(rise(settled.map(({ rss }) => rss)) * PER_100_000).toBeLessThan(MIB)
  // The heap does not waver as the process's memory does: 3 bytes an entry show.
  expect(slope(settled.map(({ heap }) => heap)) * PER_100_000).toBeLessThan(0.3 * MIB)
  const descriptors = settled.map((measure) => measure.descriptors)
  // A connection that was closed just now may still be one.
  expect(Math.max(...descriptors) - Math.min(...descriptors)).toBeLessThanOrEqual(CONNECTIONS)
})

/**
 * By how much each value is more than the one before, from the earlier half to the later one. The process's memory wavers
 * between two levels, 10 MiB apart: by that alone the median can rise, or the least, but hardly both; a leak raises both.
 */
function rise(values: readonly number[]): number {
  const middle = Math.ceil(values.length / 2)
  const [earlier, later] = [values.slice(0, middle), values.slice(middle)]
  const risen = Math.min(median(later) - median(earlier), Math.min(...later) - Math.min(...earlier))
  return risen / (values.length / 2)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** By how much each value is more than the one before: the line of least squares. */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  let above = 0
  let below = 0
  for (const [index, value] of values.entries()) {
    above += (index - middle) * (value - mean)
    below += (index - middle) ** 2
  }
  return above / below
}
