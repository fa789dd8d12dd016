import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { DeliveryAccounting } from '../../src/delivery/accounting.js'
import type { Entry } from '../../src/delivery/entry.js'
import { jsonFormat } from '../../src/event/draft.js'
import { BatchError } from '../../src/sinks/batch-error.js'
import type { AuditEntry } from '../../src/sinks/sink.js'
import { gapOf, type LaneFixture, laneOf, settle, stopOf, useFakeTimers } from '../support/lane.js'
import { runs } from '../support/runs.js'

vi.mock('../../src/clock.js', () => import('../support/current-clock.js'))

/** A sink's answer for a batch; `part` mixes all fates, including the sink's doubts. */
type How = 'store' | 'fail' | 'part'

type Step =
  | { do: 'offer'; isAsked: boolean; isBad: boolean; count: number }
  | { do: 'answer'; how: How }
  | { do: 'pass'; milliseconds: number }
  | { do: 'record' }

/** The sink's behaviour while it is closed, and its answer after that, if any. */
interface Ending {
  mode: 'store' | 'fail' | 'hang'
  late: How | null
}

const MAX_QUEUE = 6
const MAX_BYTES = 4000
const HOWS: How[] = ['store', 'fail', 'part']

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('offer'),
      isAsked: fc.boolean(),
      isBad: fc.nat(9).map((draw) => draw === 0),
      count: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('answer'), how: fc.constantFrom(...HOWS) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('pass'), milliseconds: fc.constantFrom(0, 1, 1000, 10_000) }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'record' }) },
)
const ending: fc.Arbitrary<Ending> = fc.record({
  mode: fc.constantFrom('store', 'fail', 'hang'),
  late: fc.option(fc.constantFrom(...HOWS)),
})

/** One lane, and everything that was ever given a number there. */
class World {
  /** By their numbers, from 1. */
  readonly numbered: Entry[] = []
  readonly lane: LaneFixture
  /** Entries whose lines the sink has, even if it does not know so. */
  private readonly trail: AuditEntry[] = []
  private readonly answered = new Set<readonly AuditEntry[]>()
  private readonly offered: Entry[] = []
  private own = 0

  constructor(enforced: boolean) {
    const { numbered } = this
    const number = DeliveryAccounting.prototype.number
    vi.spyOn(DeliveryAccounting.prototype, 'number').mockImplementation(function (this: DeliveryAccounting, entry) {
      number.call(this, entry)
      numbered.push(entry)
    })
    this.lane = laneOf({
      enforced,
      maxQueue: MAX_QUEUE,
      maxQueueBytes: MAX_BYTES,
      format: (draft, seq) => {
        const line = jsonFormat(draft, seq)
        if (line.includes('/bad')) throw new Error('no line for this one')
        return line
      },
    })
    this.lane.sink.auto = null
  }

  async run(taken: Step): Promise<void> {
    if (taken.do === 'pass') await settle(taken.milliseconds)
    else if (taken.do === 'answer') await this.answer(taken.how)
    else if (taken.do === 'record') {
      this.own++
      this.lane.delivery.record('rotation', { archive: 'a.log', bytes: 1, reason: 'size' })
    } else {
      for (let count = 0; count < taken.count; count++) this.offer(taken.isAsked, taken.isBad)
    }
    this.expectBounds()
  }

  async end({ mode, late }: Ending): Promise<void> {
    const { delivery, sink } = this.lane
    const closing = delivery.close(5000, stopOf(delivery))
    for (let turn = 0; turn < 12 && mode !== 'hang'; turn++) await this.answer(mode)
    await settle(5000)
    await closing
    this.expectTruth()
    if (late !== null) await this.answer(late)
    sink.auto = 'store'
    await settle(5000)
    this.expectTruth()
    if (sink.pending === null) expect(sink.calls.at(-1)).toBe('close')
  }

  /** Expects every offered entry to be in the trail, in one of its gaps, or in the counters. */
  expectTruth(): void {
    const { numbered, trail } = this
    const stats = this.lane.delivery.stats()
    expect(stats.offered).toBe(numbered.length)
    expect(this.offered.filter((entry) => numbered[entry.seq - 1] !== entry)).toEqual([])
    expect(stats.offered).toBe(stats.stored + stats.notStored + stats.inDoubt)
    const byFate = (fate: string): Entry[] => numbered.filter((entry) => entry.fate === fate)
    expect(byFate('pending')).toEqual([])
    const stored = byFate('stored')
    const doubtful = byFate('in doubt')
    const lost = byFate('not stored').filter((entry) => entry.countsAsLost)
    expect(stats).toMatchObject({ stored: stored.length, inDoubt: doubtful.length, lost: lost.length })
    expect(stored.filter((entry) => !trail.includes(entry))).toEqual([])
    const known = new Set<AuditEntry>([...stored, ...doubtful])
    expect(trail.filter((entry) => !known.has(entry))).toEqual([])

    // Each gap reports exactly the entries missing between its numbers; no two gaps report the same one.
    let told = 0
    let end = 0
    for (const entry of stored) {
      const gap = gapOf(entry)
      if (gap === undefined) continue
      const isInside = ({ seq }: Entry): boolean => gap.from <= seq && seq <= gap.to
      expect(gap.from).toBeGreaterThan(end)
      expect(gap.to).toBeLessThan(entry.seq)
      expect(gap).toMatchObject({ lost: lost.filter(isInside).length, in_doubt: doubtful.filter(isInside).length })
      told += gap.lost + gap.in_doubt
      const outside = numbered.slice(end, entry.seq - 1).filter((other) => !isInside(other))
      expect(outside.filter((other) => !isExplained(other))).toEqual([])
      end = entry.seq
    }
    // Entries lost after the last gap are in the counters alone.
    const untold = [...lost, ...doubtful].filter(({ seq }) => seq > end)
    expect(told + untold.length).toBe(stats.lost + stats.inDoubt)
  }

  /** Only the trail's own entries are beyond the bounds. */
  private expectBounds(): void {
    const { queued, queuedBytes } = this.lane.delivery.stats()
    const inFlight = this.lane.sink.pendingBatch?.length ?? 0
    expect(queued - inFlight).toBeLessThanOrEqual(MAX_QUEUE + this.own)
    expect(queuedBytes).toBeLessThanOrEqual(MAX_BYTES + this.own * 1000)
  }

  private offer(isAsked: boolean, isBad: boolean): void {
    const endpoint = `/${isBad ? 'bad' : 'good'}/${this.offered.length}`
    const { ask, tell } = this.lane
    const { isTaken, entry } = isAsked ? ask(endpoint) : tell(endpoint)
    this.offered.push(entry)
    expect(entry.fate).toBe(isTaken ? 'pending' : 'not stored')
  }

  private async answer(how: How): Promise<void> {
    await settle()
    const { sink } = this.lane
    if (sink.pending === null) return
    const batch = sink.pendingBatch
    const failure = new Error('told to fail')
    if (batch === null) sink.answer(how === 'fail' ? failure : 'store')
    else {
      expect(this.answered.has(batch)).toBe(false)
      this.answered.add(batch)
      if (how === 'fail') sink.answer(failure)
      else if (how === 'store') {
        this.trail.push(...batch)
        sink.answer()
      } else this.answerInPart(batch)
    }
    await settle()
  }

  /** One entry stored, one not, one in doubt that is stored, and one in doubt that is not. */
  private answerInPart(batch: readonly AuditEntry[]): void {
    this.trail.push(...batch.filter((_, index) => index % 4 === 0 || index % 4 === 2))
    const failed = batch.filter((_, index) => index % 4 === 1)
    this.lane.sink.answer(new BatchError({ failed, inDoubt: batch.filter((_, index) => index % 4 > 1) }))
  }
}

/** Tells whether an entry's number needs no gap: it is in the trail, or its request was refused. */
function isExplained(entry: Entry): boolean {
  return entry.fate === 'stored' || (entry.fate === 'not stored' && !entry.countsAsLost && !isOwn(entry))
}

/** An entry of the trail's own life: a gap that was not stored, for one. */
function isOwn(entry: Entry): boolean {
  return !('request' in entry.event.payload)
}

describe('whatever a sink does, until it is closed and after', () => {
  for (const enforced of [true, false]) {
    it(`all that was offered is in the trail, in its gaps, or in the counters (enforced: ${enforced})`, async () => {
      useFakeTimers()
      onTestFinished(() => void vi.restoreAllMocks())
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 50 }), ending, async (steps, last) => {
          vi.restoreAllMocks()
          const world = new World(enforced)
          const opening = world.lane.delivery.open(1000)
          await settle()
          world.lane.sink.answer()
          await opening
          for (const taken of steps) await world.run(taken)
          await world.end(last)
        }),
        { numRuns: runs(40) },
      )
    })
  }
})
