import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { EventPayload, TrailEvent } from '../../src/event/event.js'
import type { SinkStats } from '../../src/index.js'
import { ArchiveNames } from '../../src/sinks/file/names.js'
import { linesOf } from '../sinks/file/world.js'
import { validateLine } from '../support/schema.js'
import { type Answer, endpointOf } from './traffic.js'

export type Line = TrailEvent

/** Every line of the audit file at `path`, behind those of its archives; each must be whole and valid. */
export function readTrail(path: string): Line[] {
  const names = new ArchiveNames(path)
  const archives = names.among(readdirSync(names.directory)).map(({ name }) => name)
  return [...archives, names.active].flatMap((name) => readLines(names.path(name)))
}

/** The lines of one file, by its path or its descriptor. */
export function readLines(file: string | number): Line[] {
  return linesOf(readFileSync(file, 'utf8')).map(validateLine)
}

/** What the trail says of requests, by the path that they asked for. */
function byEndpoint(lines: readonly Line[]): Map<string, EventPayload[]> {
  const found = new Map<string, EventPayload[]>()
  for (const { payload } of lines) {
    if (payload.type !== 'audit') continue
    const endpoint = payload.request.endpoint.split('?')[0] ?? ''
    const known = found.get(endpoint)
    if (known === undefined) found.set(endpoint, [payload])
    else known.push(payload)
  }
  return found
}

/**
 * Every answer has its two lines, none twice, but for those of the audit itself: a 503 has no Received (its handler did
 * not run), a 500 has no Complete with another status.
 */
export function expectRecorded(answers: readonly Answer[], lines: readonly Line[]): void {
  const trail = byEndpoint(lines)
  const wrong: unknown[] = []
  for (const { number, status } of answers) {
    const said = (trail.get(endpointOf(number)) ?? []).map(({ stage, response }) =>
      stage === 'OperationReceived' ? 'Received' : `Complete ${response?.status_code}`,
    )
    if (!(LEGAL[status] ?? []).includes(said.join(', '))) wrong.push({ number, status, said })
  }
  expect(wrong.slice(0, 5)).toEqual([])
}

/** What the trail may say of an answer with a status. */
const LEGAL: Record<number, string[]> = {
  200: ['Received, Complete 200'],
  503: ['', 'Complete 503'],
  500: ['Received'],
}

/**
 * The sink's counters say what is in its files, and the gaps say what is not. `doubtful` lines were stored, and taken
 * away by somebody else.
 */
export function expectCounted(lines: readonly Line[], stats: SinkStats | undefined, doubtful = 0): void {
  const numbers = lines.map(({ seq }) => seq)
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
  const { offered, stored, notStored, lost, inDoubt } = stats ?? fail()
  expect({ stored, offered }).toEqual({ stored: lines.length - doubtful, offered: stored + notStored + inDoubt })
  const gaps = lines.flatMap(({ payload }) => (payload.type === 'gap' ? [payload.gap] : []))
  expect(sum(gaps.map((gap) => gap.lost))).toBe(lost)
  expect(sum(gaps.map((gap) => gap.in_doubt))).toBe(inDoubt)
}

function fail(): never {
  throw new Error('there is no such sink')
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
