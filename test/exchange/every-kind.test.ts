import fc from 'fast-check'
import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import audit, { type DeliveryGuarantee } from '../../src/index.js'
import { gapOf } from '../support/lane.js'
import { runs } from '../support/runs.js'
import { type Behaviour, SOON, StagedSink, until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'

// The same promises for requests, work and events: each is tried against two sinks that store, fail or hang.

type Kind = 'request' | 'run' | 'request.run' | 'record' | 'request.record'

interface Step {
  kind: Kind
  /** The stage at which the sinks behave so; the other one is stored. */
  at: 'received' | 'complete'
  behaviours: readonly [Behaviour, Behaviour]
  /** Whether what hung in an enforced sink is stored in the end. */
  isStoredLate: boolean
}

const behaviour = fc.constantFrom<Behaviour>('stores', 'stores', 'fails', 'hangs')
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom<Kind>('request', 'run', 'request.run', 'record', 'request.record'),
  at: fc.constantFrom('received', 'complete'),
  behaviours: fc.tuple(behaviour, behaviour),
  isStoredLate: fc.boolean(),
})
const guarantee = fc.constantFrom<DeliveryGuarantee>('enforced', 'enforced', 'best-effort')

type Result = 'own' | 'FST_AUDIT_NOT_RECORDED' | 'FST_AUDIT_RESPONSE_WITHHELD'

/** What a step must lead to. */
interface Expected {
  result: Result
  hasRun: boolean
  trails: string[][]
}

function isStaged({ kind }: Step): boolean {
  return !kind.endsWith('record')
}

function expected(taken: Step, guarantees: readonly DeliveryGuarantee[]): Expected {
  const { at, behaviours, isStoredLate } = taken
  const works = behaviours.map((how) => how === 'stores')
  // A best-effort sink is given what follows in one batch with what hangs: that batch is stored in the end.
  const isLate = (index: number) => isStoredLate || guarantees[index] === 'best-effort'
  const isStored = behaviours.map((how, index) => works[index] || (how === 'hangs' && isLate(index)))
  const isKept = guarantees.every((given, index) => given === 'best-effort' || works[index])
  const words = (each: (stored: boolean) => Array<string | false>) =>
    isStored.map((stored) => each(stored === true).filter((word) => word !== false))
  if (!isStaged(taken)) {
    // An event has no beginning: its one record behaves as a Complete does.
    const isAt = at === 'complete'
    return {
      result: isKept || !isAt ? 'own' : 'FST_AUDIT_NOT_RECORDED',
      hasRun: true,
      trails: words((stored) => [(stored || !isAt) && 'Event']),
    }
  }
  if (at === 'received') {
    const end = isKept ? 'Complete' : 'Complete (FST_AUDIT_NOT_RECORDED)'
    return {
      result: isKept ? 'own' : 'FST_AUDIT_NOT_RECORDED',
      hasRun: isKept,
      trails: words((stored) => [stored && 'Received', end]),
    }
  }
  const correction = !isKept && 'correction (FST_AUDIT_RESPONSE_WITHHELD)'
  return {
    result: isKept ? 'own' : 'FST_AUDIT_RESPONSE_WITHHELD',
    hasRun: true,
    trails: words((stored) => ['Received', stored && 'Complete', correction]),
  }
}

class World {
  readonly sinks = [new StagedSink(), new StagedSink()] as const
  readonly app: FastifyInstance = Fastify()
  private hasRun = false

  constructor(private readonly guarantees: readonly DeliveryGuarantee[]) {}

  async open(): Promise<void> {
    const { app, sinks, guarantees } = this
    const options = sinks.map((sink, index) => ({
      name: `sink${index}`,
      sink,
      timeout: SOON,
      deliveryGuarantee: guarantees[index] ?? 'enforced',
    }))
    // What happens inside a request is tried without a record of the request itself.
    await app.register(audit, { sinks: options })
    const excluded = { config: { audit: false } } as const
    app.get('/request', async () => this.ran())
    app.get('/request.run', excluded, async (request) => request.audit.run({ action: 'a' }, () => this.ran()))
    app.get('/request.record', excluded, async (request) => {
      await request.audit.record({ action: 'a' })
      return 'own'
    })
    await app.ready()
    await app.audit.flush()
  }

  async take(taken: Step): Promise<Expected> {
    const { app, sinks, guarantees } = this
    const { kind, at, behaviours, isStoredLate } = taken
    this.hasRun = false
    const before = sinks.map(({ stored }) => stored.length)
    for (const [index, how] of behaviours.entries()) Object.assign(sinks[index] ?? {}, { [at]: how })
    const result = await this.result(kind)
    for (const [index, sink] of sinks.entries()) {
      const isHanging = behaviours[index] === 'hangs' && (at === 'complete' || isStaged(taken))
      await until(() => (isHanging ? sink.isHanging : app.audit.stats().sinks[`sink${index}`]?.queued === 0))
    }
    for (const [index, sink] of sinks.entries()) {
      if (isStoredLate || guarantees[index] === 'best-effort') sink.recover()
      else sink.giveUp()
    }
    await app.audit.flush()
    const trails = sinks.map((sink, index) => sink.stored.slice(before[index]).flatMap((entry) => wordOf(entry)))
    return { result, hasRun: this.hasRun || !isStaged(taken), trails }
  }

  private async result(kind: Kind): Promise<Result> {
    const { app } = this
    const codeOf = (error: unknown): Result => Object(error).code
    if (kind === 'record') return app.audit.record({ action: 'a' }).then(() => 'own' as const, codeOf)
    if (kind === 'run') return app.audit.run({ action: 'a' }, () => this.ran()).catch(codeOf)
    const { body, statusCode } = await app.inject(`/${kind}`)
    return statusCode === 200 ? 'own' : JSON.parse(body).code
  }

  private ran(): 'own' {
    this.hasRun = true
    return 'own'
  }
}

/** What a stored entry says of what was done; nothing for the trail's own life. */
function wordOf({ event: { payload } }: StagedSink['stored'][number]): string[] {
  if (payload.type === 'correction') return [withError('correction', payload.correction.error)]
  if (payload.type !== 'audit' && payload.type !== 'action') return []
  const error = payload.type === 'audit' ? payload.response?.error : payload.error
  if (payload.stage === undefined) return ['Event']
  return [payload.stage === 'OperationReceived' ? 'Received' : withError('Complete', error)]
}

function withError(word: string, error: string | undefined): string {
  return error === undefined ? word : `${word} (${error})`
}

describe('requests, work and events, whatever two sinks do', () => {
  expectNothingUncaught()

  it('are kept to the same promises', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(guarantee, guarantee),
        fc.array(step, { minLength: 1, maxLength: 8 }),
        async (guarantees, steps) => {
          const world = new World(guarantees)
          onTestFinished(() => world.app.close())
          await world.open()
          const { app, sinks } = world
          const counts = { actions: 0, actionsNotRecorded: 0, actionsWithheld: 0 }
          for (const taken of steps) {
            const model = expected(taken, guarantees)
            expect(await world.take(taken), JSON.stringify(taken)).toEqual(model)
            if (taken.kind === 'request') continue
            counts.actions++
            if (model.result === 'FST_AUDIT_NOT_RECORDED') counts.actionsNotRecorded++
            if (model.result === 'FST_AUDIT_RESPONSE_WITHHELD') counts.actionsWithheld++
          }
          expect(app.audit.stats()).toMatchObject({ ...counts, open: 0 })
          await app.close()
          const stats = Object.values(app.audit.stats().sinks)
          for (const [index, { stored }] of sinks.entries()) {
            const own = stats[index]
            const gaps = stored.map(gapOf).filter((gap) => gap !== undefined)
            expect(own).toMatchObject({ stored: stored.length, queued: 0, queuedBytes: 0 })
            expect(gaps.reduce((sum, gap) => sum + gap.lost, 0)).toBe(own?.lost)
            expect(gaps.reduce((sum, gap) => sum + gap.in_doubt, 0)).toBe(own?.inDoubt)
          }
        },
      ),
      { numRuns: runs(25) },
    )
  })
})
