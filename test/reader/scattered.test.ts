import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readTrail, type TrailExchange } from '../../src/index.js'
import { runs } from '../support/runs.js'
import { HAS_ZSTD, zstdFrame } from '../support/zstd.js'
import { temporaryDirectory } from './made.js'
import { type Happening, numberedLines } from './numbered.js'

const DAY = 86_400
const maybe = <Value>(values: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(values, { nil: undefined })

const request = fc.record({
  kind: fc.constant('request' as const),
  endsAfter: maybe(fc.integer({ min: 0, max: 4 })),
  correction: maybe(fc.constantFrom(500, 404)),
  runsOn: fc.boolean(),
})
const work = fc.record({
  kind: fc.constant('work' as const),
  endsAfter: maybe(fc.integer({ min: 0, max: 4 })),
  isCorrected: fc.boolean(),
})
const others: Array<fc.WeightedArbitrary<Happening>> = [
  { arbitrary: fc.record({ kind: fc.constant('gap' as const), lost: fc.integer({ min: 1, max: 9 }) }), weight: 1 },
  { arbitrary: fc.constant({ kind: 'restart' as const }), weight: 1 },
  { arbitrary: fc.constant({ kind: 'event' as const }), weight: 2 },
  { arbitrary: work, weight: 3 },
]
const seconds = fc.oneof(fc.integer({ min: -90, max: 90 }), fc.integer({ min: -3 * DAY, max: 3 * DAY }))
const jump = fc.record({ kind: fc.constant('jump' as const), seconds })

/** A clock that jumps, where records are numbered; in the format `rancher` only time gives the order. */
const lines = fc.oneof(
  fc
    .array(fc.oneof({ arbitrary: request, weight: 6 }, ...others, { arbitrary: jump, weight: 1 }), { maxLength: 30 })
    .map((happenings) => numberedLines(happenings)),
  fc
    .array(fc.oneof({ arbitrary: request, weight: 6 }, ...others), { maxLength: 30 })
    .map((happenings) => numberedLines(happenings, 'rancher')),
)

const NAMES = [
  ...['audit.log', 'audit.log.1', 'audit.log.2.gz', 'audit.log-20261130', 'audit-2026-03-24T17-09-35.704Z.log'],
  ...[
    'x',
    'old.bin',
    '.hidden.log',
    'audit.log.bak',
    'notes.txt',
    'audit-2026-03-24T17-09-35.704Z-1.log.gz',
    'a b\u001b',
  ],
]

/** A trail cut into files of any name, some compressed, and which of them is to be made unreadable, if any. */
const scattered = fc.record({
  lines,
  cuts: fc.array(fc.nat(1000), { maxLength: NAMES.length - 1 }),
  names: fc.shuffledSubarray(NAMES, { minLength: NAMES.length }),
  compressed: fc.array(fc.boolean(), { minLength: NAMES.length, maxLength: NAMES.length }),
  order: fc.shuffledSubarray([...NAMES.keys()], { minLength: NAMES.length }),
  asDirectory: fc.boolean(),
  harm: fc.nat(1000),
  harmed: fc.constantFrom(Buffer.from('fd377a585a00aa', 'hex'), Buffer.from([0x8b, 0, 0x80, 7, 0xff])),
})

interface Answer {
  exchanges: TrailExchange[]
  error: string | undefined
}

async function answerOf(paths: string | readonly string[]): Promise<Answer> {
  const exchanges: TrailExchange[] = []
  let error: string | undefined
  try {
    for await (const exchange of readTrail(paths)) exchanges.push(exchange)
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'FST_AUDIT_TRAIL_UNREADABLE')) throw thrown
    error = thrown.message
  }
  return { exchanges, error }
}

/** In their order within each run of a server; those of different runs come in the order of the clock. */
function byInstance(exchanges: readonly TrailExchange[]): TrailExchange[] {
  const keyOf = ({ instance, id }: TrailExchange): string => instance ?? id
  return exchanges.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : Number(keyOf(a) > keyOf(b))))
}

function slices(all: readonly string[], cuts: readonly number[]): string[][] {
  const places = [0, ...cuts.map((cut) => cut % (all.length + 1)).sort((a, b) => a - b), all.length]
  return places.slice(1).map((end, index) => all.slice(places[index], end))
}

function textOf(slice: readonly string[]): string {
  return slice.map((line) => `${line}\n`).join('')
}

/** Compresses in two parts, as programs do that append to a compressed file. */
function compress(text: string): Buffer {
  const middle = Math.floor(text.length / 2)
  const compressPart = HAS_ZSTD && middle % 2 === 1 ? zstdFrame : gzipSync
  return Buffer.concat([text.slice(0, middle), text.slice(middle)].map((part) => compressPart(part)))
}

it('a trail in files of any name gives the same answer as in one; without one of them, the rest and its name', async () => {
  const root = temporaryDirectory()
  let run = 0
  await fc.assert(
    fc.asyncProperty(scattered, fc.boolean(), async (trail, isHarmed) => {
      fc.pre(trail.lines.length > 0)
      const directory = join(root, String(run++))
      mkdirSync(directory)
      const files = slices(trail.lines, trail.cuts).map((slice, index) => {
        const path = join(directory, trail.names[index] ?? '')
        const text = textOf(slice)
        writeFileSync(path, trail.compressed[index] ? compress(text) : text)
        return { path, slice }
      })
      const harmed = isHarmed ? files[trail.harm % files.length] : undefined
      if (harmed !== undefined) writeFileSync(harmed.path, trail.harmed)
      const whole = join(root, 'one')
      writeFileSync(whole, textOf(files.flatMap((file) => (file === harmed ? [] : file.slice))))
      const expected = await answerOf(whole)
      rmSync(whole)
      const paths = trail.order.flatMap((index) => files[index]?.path ?? [])
      const answer = await answerOf(trail.asDirectory ? directory : paths)
      rmSync(directory, { recursive: true })
      expect(byInstance(answer.exchanges)).toEqual(byInstance(expected.exchanges))
      if (harmed === undefined) expect(answer.error).toBeUndefined()
      else expect(answer.error).toContain(harmed.path)
    }),
    { numRuns: runs(50) },
  )
})
