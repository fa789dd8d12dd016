import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { BatchError } from '../../src/sinks/batch-error.js'
import type { AuditEntry } from '../../src/sinks/sink.js'
import {
  expectWholeAccount,
  gapOf,
  type LaneFixture,
  laneOf,
  type Offered,
  settle,
  stopOf,
  useFakeTimers,
} from '../support/lane.js'
import { runs } from '../support/runs.js'

vi.mock('../../src/clock.js', () => import('../support/current-clock.js'))

type Kind = 'ask' | 'tell' | 'wait'

type Step =
  | { do: 'offer'; kind: Kind; size: number }
  | { do: 'answer'; how: 'store' | 'fail' | 'part' }
  | { do: 'pass'; milliseconds: number }
  | { do: 'reopen' }
  | { do: 'flush' }
  | { do: 'record' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('offer'),
      kind: fc.constantFrom<Kind>('ask', 'tell', 'wait'),
      size: fc.nat(3),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('answer'), how: fc.constantFrom('store', 'fail', 'part') }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('pass'), milliseconds: fc.constantFrom(0, 1, 400, 1000, 10_000) }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ do: 'reopen' }, { do: 'flush' }, { do: 'record' }) },
)

/** One lane, its offers, and the entries that its sink truly stored. */
class World {
  readonly lane: LaneFixture
  readonly offers: Array<Offered & { endpoint: string }> = []
  readonly stored: AuditEntry[] = []
  private readonly promised: Array<Promise<unknown>> = []

  constructor(enforced: boolean) {
    this.lane = laneOf({ enforced, maxQueue: 5, maxQueueBytes: 4000 })
    this.lane.sink.auto = null
  }

  async run(taken: Step): Promise<void> {
    const { delivery } = this.lane
    if (taken.do === 'pass') await settle(taken.milliseconds)
    else if (taken.do === 'answer') await this.answer(taken.how)
    else if (taken.do === 'reopen') this.promised.push(delivery.reopen().catch((error: unknown) => error))
    else if (taken.do === 'flush') this.promised.push(delivery.flush())
    else if (taken.do === 'record') delivery.record('rotation', { archive: 'a.log', bytes: 1, reason: 'size' })
    else this.offer(taken.kind, taken.size)
  }

  /** Answers waiting calls until everything is stored, then closes. */
  async end(): Promise<void> {
    const { delivery, sink } = this.lane
    const batches = sink.batches.length
    sink.auto = 'store'
    if (sink.pending !== null) await this.answer('store')
    await settle(2000)
    const closing = delivery.close(5000, stopOf(delivery))
    await settle(100)
    await closing
    for (const batch of sink.batches.slice(batches)) this.stored.push(...batch)
    await Promise.all(this.promised)
  }

  private offer(kind: Kind, size: number): void {
    const endpoint = `/${this.offers.length}${'é'.repeat(size * 100)}`
    const { lane } = this
    const offered = kind === 'ask' ? lane.ask(endpoint) : lane.tell(endpoint, kind === 'wait')
    this.offers.push({ endpoint, ...offered })
  }

  private async answer(how: 'store' | 'fail' | 'part'): Promise<void> {
    const { sink } = this.lane
    const batch = sink.pendingBatch
    if (sink.pending === null) return
    if (how === 'store' || (how === 'part' && batch === null)) {
      if (batch !== null) this.stored.push(...batch)
      sink.answer()
    } else if (how === 'fail' || batch === null) sink.answer(new Error('told to fail'))
    else this.answerInPart(batch)
    await settle()
  }

  /** One third stored, one not, and one in doubt that is not stored, in truth. */
  private answerInPart(batch: readonly AuditEntry[]): void {
    this.stored.push(...batch.filter((_, index) => index % 3 === 0))
    const failed = batch.filter((_, index) => index % 3 === 1)
    this.lane.sink.answer(new BatchError({ failed, inDoubt: batch.filter((_, index) => index % 3 === 2) }))
  }
}

function endpointsOf(entries: readonly AuditEntry[]): string[] {
  return entries.flatMap(({ event }) => ('request' in event.payload ? [event.payload.request.endpoint] : []))
}

describe('any interleaving of offers, answers, failures, hangs, reopen and flush', () => {
  for (const enforced of [true, false]) {
    it(`keeps calls apart, tells the truth once, and accounts for every number (${enforced})`, async () => {
      useFakeTimers()
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
          const world = new World(enforced)
          const { delivery, sink } = world.lane
          const opening = delivery.open(1000)
          await settle()
          sink.answer()
          await opening
          for (const taken of steps) await world.run(taken)
          await world.end()
          const { offers, stored } = world
          const stats = delivery.stats()

          // Each at most once, in the order of the offers, and exactly those that the sink acknowledged.
          const endpoints = endpointsOf(stored)
          const inOrder = offers.map(({ endpoint }) => endpoint).filter((endpoint) => endpoints.includes(endpoint))
          expect(endpoints).toEqual(inOrder)
          expect(stats.stored).toBe(stored.length)

          for (const { endpoint, isTaken, entry, told } of offers) {
            const isStored = endpoints.includes(endpoint)
            if (!isTaken) expect([isStored, told]).toEqual([false, []])
            else if (told.length > 0) {
              const last = told.at(-1)
              if (told.length === 2) expect(told[0]).toBe('in doubt')
              expect(told.length).toBeLessThanOrEqual(2)
              if (isStored) expect(last).toMatch(/^(after all )?stored$/)
              else expect(last).toMatch(/not stored$|in doubt$/)
            } else expect(entry.waiter, 'nobody who waits is forgotten').toBe(null)
          }

          // The trail itself reports its missing entries.
          const gaps = stored.map(gapOf).filter((gap) => gap !== undefined)
          expect(gaps.reduce((sum, gap) => sum + gap.lost, 0)).toBe(stats.lost)
          expect(gaps.reduce((sum, gap) => sum + gap.in_doubt, 0)).toBe(stats.inDoubt)
          expect(stats.offered).toBe(stats.stored + stats.notStored + stats.inDoubt)
          expect(stats).toMatchObject({ queued: 0, queuedBytes: 0 })
          const refused = offers.filter(({ entry }) => !entry.countsAsLost && entry.fate === 'not stored')
          expectWholeAccount(stored, stats.offered, new Set(refused.map(({ entry }) => entry.seq)))
          expectTrueGaps(stored)
          expect(sink.calls.at(-1)).toBe('close')
          expect(stored.at(-1)?.event.payload.type).toBe('stop')
        }),
        { numRuns: runs(50) },
      )
    })
  }
})

/** A gap tells of numbers before it, and of no more than there are. */
function expectTrueGaps(stored: readonly AuditEntry[]): void {
  for (const entry of stored) {
    const gap = gapOf(entry)
    if (gap === undefined) continue
    expect(gap.to).toBeLessThan(entry.event.seq)
    expect(gap.from).toBeGreaterThanOrEqual(1)
    expect(gap.to - gap.from + 1).toBeGreaterThanOrEqual(gap.lost + gap.in_doubt)
  }
}
