import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ActionPayload, MemorySink } from '../../src/index.js'
import { audited } from '../support/app.js'
import { hostileText } from '../support/hostile.js'
import { runs } from '../support/runs.js'
import { validateLine } from '../support/schema.js'
import { expectNothingUncaught } from '../support/uncaught.js'

/** More than a line with every part at its bound: annotations, changes, 16 targets. */
const LONGEST_LINE = 64 * 1024

function throwing(): never {
  throw new Error('a getter of the application')
}

/** Makes a value: fast-check itself trips over some of them. */
type Make = () => unknown

const spiteful: fc.Arbitrary<Make> = fc.oneof(
  hostileText.map((text) => () => text),
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }).map((value) => () => value),
  fc.constantFrom<Make>(
    () => Symbol('s'),
    () => 10n ** 5000n,
    () => Number.NaN,
    () => () => 'a function',
    () => new Proxy({}, { get: throwing, ownKeys: throwing, getOwnPropertyDescriptor: throwing }),
    () => new Proxy([], { get: throwing }),
    () => revoked({}),
    () => revoked([]),
    () => Object.defineProperty({}, 'type', { get: throwing, enumerable: true }),
    () => ({
      type: 't',
      id: 'i',
      get name() {
        return throwing()
      },
    }),
    () => [{ type: 't', id: 1 }, null, 7, 'x', [[]], { type: 't' }, { id: 1 }, { type: 't', id: Symbol('s') }],
    () => ({ accessorId: { toString: throwing } }),
    () => ({ accessorId: 'u', policies: 7, groups: new Proxy([], { get: throwing }) }),
    () => ({ before: revoked({}), after: { a: revoked([]) } }),
    () => ({
      get before() {
        return throwing()
      },
      after: 1,
    }),
    () => ({ toJSON: throwing, toString: throwing, [Symbol.toPrimitive]: throwing }),
    () => Object.create({ action: 'of its prototype' }),
    () => JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}'),
    () => new Date(8.64e15),
  ),
)

function revoked<Kind extends object>(of: Kind): Kind {
  const { proxy, revoke } = Proxy.revocable(of, {})
  revoke()
  return proxy
}

const MEMBERS = ['actor', 'targets', 'annotations', 'namespace', 'parent', 'outcome', 'reason', 'changes', 'at', 'more']
const action = fc.oneof({ weight: 4, arbitrary: fc.constant(() => 'a') }, { weight: 1, arbitrary: spiteful })
const members = fc.record(
  { action, ...Object.fromEntries(MEMBERS.map((member) => [member, spiteful])) },
  { requiredKeys: ['action'] },
)
const plain = members.map((makes) => () => made(makes))
/** Each member answers differently the second time, or throws. */
const changing = fc.tuple(members, spiteful).map(([makes, later]) => () => {
  const asked = new Set<PropertyKey>()
  return new Proxy(made(makes), {
    get: (of, key) => (asked.has(key) ? (later() ?? throwing()) : asked.add(key) && Reflect.get(of, key)),
  })
})
const input: fc.Arbitrary<Make> = fc.oneof(
  { weight: 6, arbitrary: plain },
  { weight: 3, arbitrary: changing },
  { weight: 1, arbitrary: spiteful },
)

function made(makes: Readonly<Record<string, Make>>): object {
  return Object.fromEntries(Object.entries(makes).map(([member, make]) => [member, make()]))
}

function actionsOf({ lines }: MemorySink): ActionPayload[] {
  return lines.flatMap((line) => {
    expect(line.length).toBeLessThan(LONGEST_LINE)
    const { payload } = validateLine(line)
    return payload.type === 'action' ? [payload] : []
  })
}

describe('any input of the application', () => {
  expectNothingUncaught()

  it('is one valid, bounded line of an event, or is refused by our error', async () => {
    const { app, sink } = await audited()
    await app.ready()
    const seen = { recorded: 0, refused: 0 }
    await fc.assert(
      fc.asyncProperty(input, async (make) => {
        const before = actionsOf(sink).length
        const code = await app.audit.record(make() as never).then(
          () => 'stored',
          (error: unknown) => Object(error).code,
        )
        seen[code === 'stored' ? 'recorded' : 'refused']++
        if (code !== 'stored') expect(code).toBe('FST_AUDIT_INVALID_ACTION')
        const added = actionsOf(sink).slice(before)
        expect(added).toHaveLength(code === 'stored' ? 1 : 0)
        if (added[0] !== undefined) expect(added[0].action).not.toBe('')
        sink.clear()
      }),
      { numRuns: runs(300) },
    )
    expect(seen.recorded).toBeGreaterThan(50)
    expect(seen.refused).toBeGreaterThan(10)
  })

  it('is two valid, bounded lines of work, with what its function adds, or is refused before it', async () => {
    const { app, sink } = await audited()
    await app.ready()
    await fc.assert(
      fc.asyncProperty(input, fc.array(spiteful, { minLength: 4, maxLength: 4 }), async (make, makes) => {
        const [one, two, three, four] = makes.map((make) => make())
        const result = app.audit.run(make() as never, (work) => {
          work.annotate(one as never)
          work.target(two as never)
          work.outcome(three as never, four as never)
          work.changes(one, two)
          return 'ran'
        })
        const code = await result.catch((error: unknown) => Object(error).code)
        expect(['ran', 'FST_AUDIT_INVALID_ACTION']).toContain(code)
        const stages = actionsOf(sink).map(({ stage }) => stage)
        expect(stages).toEqual(code === 'ran' ? ['OperationReceived', 'OperationComplete'] : [])
        sink.clear()
      }),
      { numRuns: runs(200) },
    )
  })

  it('is read once: what a getter answers later is not recorded', async () => {
    const { app, sink } = await audited()
    await app.ready()
    const reads: PropertyKey[] = []
    const given = new Proxy({ action: 'a' }, { get: (of, key) => reads.push(key) && Reflect.get(of, key) })
    await app.audit.record(given)
    expect(reads).toEqual([...new Set(reads)])
    expect(actionsOf(sink)[0]?.action).toBe('a')
  })

  it.each<[string, Record<string, unknown>]>([
    ['a name', { action: 'x'.repeat(10_000_000) }],
    ['a reason', { outcome: 'failure', reason: 'é'.repeat(5_000_000) }],
    ['a namespace', { namespace: 'x'.repeat(10_000_000) }],
    ['an actor', { actor: { accessorId: 'x'.repeat(10_000_000), groups: new Array(100_000).fill('g') } }],
    ['an annotation', { annotations: { a: 'x'.repeat(10_000_000) } }],
    ['annotations', { annotations: Object.fromEntries(Array.from({ length: 100_000 }, (_, key) => [key, key])) }],
    ['a list of targets', { targets: Array.from({ length: 1_000_000 }, (_, id) => ({ type: 't', id })) }],
    ['a list of the same target', { targets: new Array(1_000_000).fill({ type: 't', id: 1 }) }],
    ['a list of no targets', { targets: new Array(2 ** 32 - 1) }],
    ['unknown members', Object.fromEntries(Array.from({ length: 100_000 }, (_, key) => [`k${key}`, key]))],
    ['changes', { changes: { before: [], after: new Array(1_000_000).fill({ a: 1 }) } }],
  ])('costs bounded work when it is long: %s', async (_, given) => {
    const { app, sink, logged } = await audited()
    await app.ready()
    await app.audit.record({ action: 'a', ...given })
    expect(actionsOf(sink)).toHaveLength(1)
    // Of what is not recorded, only so much is counted.
    expect(app.audit.stats().actionErrors).toBeLessThan(2000)
    expect(JSON.stringify(logged).length).toBeLessThan(10_000)
  })

  it('is named by a bounded part in an error', async () => {
    const { app, sink } = await audited()
    await app.ready()
    const action = 'x'.repeat(10_000_000)
    sink.fail()
    const errors = [app.audit.record({ action }), app.audit.run({ action }, () => 1)].map((one) => one.catch(String))
    sink.recover()
    const withheld = app.audit.run({ action }, () => sink.fail()).catch(String)
    for (const message of await Promise.all([...errors, withheld])) {
      expect(String(message).length).toBeLessThan(1000)
    }
  })
})

describe('whatever the function of work throws', () => {
  expectNothingUncaught()

  const thrown: Array<[string, () => unknown]> = [
    ['undefined', () => undefined],
    ['null', () => null],
    ['a number', () => 0],
    ['a symbol', () => Symbol('s')],
    ['a text', () => 'text'],
    ['a function', () => throwing],
    ['an error of 10 MB', () => new Error('x'.repeat(10_000_000))],
    ['an error whose message is a getter', () => Object.defineProperty(new Error('m'), 'message', { get: throwing })],
    ['an error whose message is no text', () => Object.assign(new Error('m'), { message: { toString: throwing } })],
    ['an error that breaks lines', () => new Error('\n\0\ud800"}]\u2028')],
    ['a proxy', () => new Proxy({}, { get: throwing, has: throwing })],
    ['a revoked proxy', () => revoked({})],
    ['an error with the status 401', () => Object.assign(new Error('m'), { statusCode: 401 })],
  ]
  it.each(thrown)('it is what `run` throws, and its record is whole: %s', async (_, make) => {
    const { app, sink } = await audited()
    await app.ready()
    const error = make()
    for (const execute of [
      () => {
        throw error
      },
      () => Promise.reject(error),
      // biome-ignore lint/suspicious/noThenProperty: a promise of another library
      () => ({ then: (_: unknown, reject: (error: unknown) => void) => reject(error) }) as never,
    ]) {
      const caught = await app.audit.run({ action: 'a' }, execute).then(
        () => ['no error'],
        (reason: unknown) => [reason],
      )
      expect(Object.is(caught[0], error)).toBe(true)
      const [, complete] = actionsOf(sink)
      expect(complete).toMatchObject({ stage: 'OperationComplete', outcome: expect.stringMatching(/failure|denied/) })
      expect(complete?.error).toEqual(expect.any(String))
      sink.clear()
    }
  })
})
