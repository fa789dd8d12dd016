import fc from 'fast-check'
import Fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { type ActionFacts, type Facts, NO_FACTS } from '../../src/policy/facts.js'
import { compileGlob, expandBraces, PatternError } from '../../src/policy/glob.js'
import { canonicalPath, type RouterFolding, rawPath } from '../../src/policy/path.js'
import { routerFolding } from '../../src/policy/router-folding.js'
import { Selection, type SelectorOptions } from '../../src/policy/selection.js'
import { selectionWarnings } from '../../src/policy/selection-warnings.js'
import { EXCLUDES_BOTH, EXCLUDES_COMPLETE, EXCLUDES_RECEIVED } from '../../src/policy/stages.js'
import { foldsAll, plain } from '../support/folding.js'
import { runs } from '../support/runs.js'
import { anyActionFacts, anyFacts, anyOutcomes, anyPatterns } from './facts.js'

/** What is known of a request: its status, or none; `isEnd`: it is a Complete. */
interface Asked {
  operation: string
  url: string
  status: number | undefined
  facts: Facts
}

function meets(patterns: readonly string[] | undefined, texts: readonly (string | undefined)[]): boolean {
  if (patterns === undefined) return true
  const globs = patterns.flatMap(expandBraces).map(compileGlob)
  return texts.some((text) => text !== undefined && globs.some((matches) => matches(text)))
}

/** Tells, word by word, whether a selector's lists match the facts that requests and actions share. */
function selectsFacts({ namespaces, actors, actions, targets, outcomes }: SelectorOptions, facts: Facts): boolean {
  return (
    meets(namespaces, [facts.namespace]) &&
    meets(actors, [facts.actor]) &&
    meets(actions, [facts.action]) &&
    meets(targets, facts.targets) &&
    (outcomes === undefined || (facts.outcome !== undefined && outcomes.includes(facts.outcome)))
  )
}

/** The path matches in one of its spellings, and the status, where there are any, of a Complete that has one. */
function selectsRequest(selector: SelectorOptions, folding: RouterFolding, asked: Asked): boolean {
  const { endpoints, operations, statuses } = selector
  const fold = (text: string) => (folding.caseSensitive ? text : text.toLowerCase())
  const { operation, url, status, facts } = asked
  const classOf = `${Math.floor((status ?? 0) / 100)}xx`
  return (
    meets(endpoints?.map(fold), [fold(rawPath(url, folding)), fold(canonicalPath(url, folding))]) &&
    meets(operations, [operation]) &&
    (statuses === undefined ||
      (status !== undefined && (statuses.includes(`${status}`) || statuses.includes(classOf)))) &&
    selectsFacts(selector, facts)
  )
}

const { actions, targets, actors, namespaces } = anyPatterns
const lists = {
  endpoints: fc.array(fc.constantFrom('*', '/a', '/A', '/a/*', '*b*', '/{a,b}', '/%61', '/%2Fa'), { maxLength: 2 }),
  operations: fc.array(fc.constantFrom('*', 'GET', '{GET,HEAD}', 'P*'), { maxLength: 2 }),
  statuses: fc.array(fc.constantFrom('2xx', '200', '404', '5xx'), { maxLength: 2 }),
  namespaces,
  actors,
  actions,
  targets,
  outcomes: anyOutcomes,
}

/** A selector of at most two of these lists: one of more hardly ever matches. */
const selectorOf = (...keys: (keyof typeof lists)[]): fc.Arbitrary<SelectorOptions> =>
  fc
    .tuple(fc.record(lists), fc.subarray(keys, { maxLength: 2 }))
    .map(([all, named]) => Object.fromEntries(named.map((key) => [key, all[key]])))

const anySelector = fc.oneof(
  selectorOf('endpoints', 'operations', 'statuses', 'namespaces', 'actors', 'actions', 'targets', 'outcomes'),
  selectorOf('namespaces', 'actors', 'actions', 'targets', 'outcomes'),
)
const anyUrl = fc.oneof(
  fc.constantFrom('/', '/a', '/a/b', '/%61', '/b', 'http://a/b', '/a?b', '/A'),
  fc.string({ unit: fc.constantFrom('a', 'b', 'A', '/', '%61', '%2F', '?'), maxLength: 5 }).map((path) => `/${path}`),
)
const anyAsked: fc.Arbitrary<Asked> = fc.record({
  operation: fc.constantFrom('GET', 'HEAD', 'POST', 'PWN', 'get'),
  url: anyUrl,
  status: fc.constantFrom(undefined, 200, 204, 404, 503),
  facts: anyFacts,
})

describe('only', () => {
  it('selects of requests what the definition selects', () => {
    const seen = new Map<string, number>()
    fc.assert(
      fc.property(
        fc.array(anySelector, { maxLength: 3 }),
        fc.constantFrom(plain, foldsAll),
        anyAsked,
        (selectors, folding, asked) => {
          const { operation, url, status, facts } = asked
          const selection = new Selection(selectors, folding)
          const early = { ...asked, status: undefined, facts: { ...facts, outcome: undefined } }
          const isReceived = selectors.some((each) => selectsRequest(each, folding, early))
          const isComplete = selectors.some((each) => selectsRequest(each, folding, asked))
          const excluded = selection.excluded(operation, url, early.facts)
          expect(selection.selectsComplete(operation, url, status, facts)).toBe(isComplete)
          expect((excluded & EXCLUDES_RECEIVED) === 0).toBe(isReceived)
          // What may still be selected is not excluded, and what cannot be, is.
          const isPossible = selectors.some((each) =>
            selectsRequest(
              { ...each, statuses: undefined, actions: undefined, targets: undefined, outcomes: undefined },
              folding,
              early,
            ),
          )
          expect((excluded & EXCLUDES_COMPLETE) === 0).toBe(isPossible)
          const isLate = isReceived !== isComplete
          if (isLate) expect(selection.isLate).toBe(true)
          const kind = `${isReceived} ${isComplete}`
          seen.set(kind, (seen.get(kind) ?? 0) + 1)
        },
      ),
      { numRuns: runs(2000) },
    )
    expect(Math.min(...['true true', 'false true', 'false false'].map((kind) => seen.get(kind) ?? 0))).toBeGreaterThan(
      5,
    )
  })

  it('selects of actions what the definition selects', () => {
    const seen = new Set<number>()
    fc.assert(
      fc.property(fc.array(anySelector, { maxLength: 3 }), anyActionFacts, (selectors, facts) => {
        const ofActions = selectors.filter(
          ({ endpoints, operations, statuses }) =>
            endpoints === undefined && operations === undefined && statuses === undefined,
        )
        const excludes = (at: ActionFacts) => !ofActions.some((each) => selectsFacts(each, at))
        const expected =
          (excludes({ ...facts, outcome: undefined }) ? EXCLUDES_RECEIVED : 0) |
          (excludes(facts) ? EXCLUDES_COMPLETE : 0)
        expect(new Selection(selectors, plain).excludedOfAction(facts)).toBe(expected)
        seen.add(expected)
      }),
      { numRuns: runs(2000) },
    )
    expect([...seen].sort()).toEqual([0, EXCLUDES_RECEIVED, EXCLUDES_BOTH])
  })

  it('asks for those facts alone that a selector tells apart', () => {
    const needs = (selector: SelectorOptions) => {
      const { needsActor, needsNamespace, needsAction, isLate } = new Selection([selector], plain)
      return [needsActor, needsNamespace, needsAction, isLate]
    }
    expect(needs({ endpoints: ['/a'], operations: ['GET'], namespaces: ['*'] })).toEqual([false, false, false, false])
    expect(needs({ actors: ['u'] })).toEqual([true, false, false, false])
    expect(needs({ namespaces: ['a'] })).toEqual([false, true, false, false])
    expect(needs({ statuses: ['2xx'] })).toEqual([false, false, false, true])
    for (const list of ['actions', 'targets']) expect(needs({ [list]: ['*'] })).toEqual([false, false, true, true])
    expect(needs({ outcomes: ['denied'] })).toEqual([false, false, true, true])
  })

  it('throws a PatternError for braces that are not sound', () => {
    expect(() => new Selection([{ actions: ['{a}'] }], plain)).toThrow(PatternError)
  })
})

describe('no spelling of a URL', () => {
  it('takes a request out of a sink that selects its route, and none is selected by less than a spelling', async () => {
    let url = '/'
    let reached = false
    const app = Fastify({ rewriteUrl: () => url })
    app.get('/v1/secrets/7', () => {
      reached = true
      return ''
    })
    await app.ready()
    const folding = routerFolding(app.initialConfig)
    const secrets = ['/v1/secrets/7', '/v1/secrets/*', '*/secrets/*', '/v1/{secrets,keys}/7'].map(
      (endpoint) => new Selection([{ endpoints: [endpoint] }], folding),
    )
    const path = [...'/v1/secrets/7']
    const spelling = fc
      .tuple(
        fc.constantFrom('', 'http://health', 'HTTP://health:80', 'http://health@h'),
        fc.array(fc.boolean(), { minLength: path.length, maxLength: path.length }),
        fc.constantFrom('', '?x=/health', '#/health', '?/health*'),
      )
      .map(([before, encoded, after]) => {
        const spelled = path.map((char, i) =>
          encoded[i] && char !== '/' ? `%${char.charCodeAt(0).toString(16)}` : char,
        )
        return before + spelled.join('') + after
      })
    let hits = 0
    await fc.assert(
      fc.asyncProperty(spelling, async (spelled) => {
        url = spelled
        reached = false
        await app.inject('/')
        if (!reached) return
        hits += 1
        for (const selection of secrets) expect(selection.excluded('GET', url, NO_FACTS)).toBe(0)
        // A query, a host or a fragment is no spelling of the path.
        expect(new Selection([{ endpoints: ['/health*'] }], folding).excluded('GET', url, NO_FACTS)).toBe(EXCLUDES_BOTH)
      }),
      { numRuns: runs(100) },
    )
    await app.close()
    expect(hits).toBeGreaterThan(15)
  })

  it('has a request selected by one of its spellings alone, whichever it is', () => {
    const excluded = (endpoint: string, url: string) =>
      new Selection([{ endpoints: [endpoint] }], plain).excluded('GET', url, NO_FACTS)
    expect(excluded('/health', '/%68ealth')).toBe(0)
    expect(excluded('/%68*', '/%68ealth')).toBe(0)
    expect(excluded('http:*', 'http://h/health')).toBe(0)
    expect(excluded('/other', '/%68ealth')).toBe(EXCLUDES_BOTH)
  })

  it('lets no method that a client invented escape a selector that matches it', () => {
    const selection = new Selection([{ operations: ['P*'] }], plain)
    expect(selection.excluded('PWN', '/', NO_FACTS)).toBe(0)
    expect(selection.excluded('QWN', '/', NO_FACTS)).toBe(EXCLUDES_BOTH)
    expect(selection.excluded('__proto__', '/', NO_FACTS)).toBe(EXCLUDES_BOTH)
  })
})

describe('selectionWarnings', () => {
  const enforced = { name: 'a', deliveryGuarantee: 'enforced' as const }

  it('names the sink, and the selector, of patterns that match nothing', () => {
    const only = [{ namespaces: ['*'] }, { endpoints: ['/a?b'], operations: ['FETCH'], targets: ['invoice'] }]
    expect(selectionWarnings([{ ...enforced, only }], plain)).toEqual([
      expect.stringMatching(/^Sink "a": only\[1\]: operation "FETCH" matches no HTTP method/),
      expect.stringMatching(/^Sink "a": only\[1\]: endpoint "\/a\?b" matches no path as clients spell it: /),
      expect.stringMatching(/^Sink "a": only\[1\]: target "invoice" matches no target/),
    ])
  })

  const warned = [expect.stringContaining('is counted as `unclaimed`')]

  it.each<[string, Parameters<typeof selectionWarnings>[0], unknown[]]>([
    ['no sink has it', [enforced], []],
    ['one of two enforced sinks has it', [enforced, { ...enforced, only: [{ namespaces: ['a'] }] }], []],
    ['every enforced sink has it', [{ ...enforced, only: [{ namespaces: ['a'] }] }], warned],
    ['it selects every request, and no action', [{ ...enforced, only: [{ endpoints: ['*'] }] }], warned],
    ['it selects every action, and not every request', [{ ...enforced, only: [{ actions: ['*'] }] }], warned],
    ['it selects everything', [{ ...enforced, only: [{ actors: ['u'] }, { namespaces: ['*'], actors: ['**'] }] }], []],
    [
      'a best-effort sink alone takes the rest',
      [
        { ...enforced, only: [{ namespaces: ['a'] }] },
        { name: 'b', deliveryGuarantee: 'best-effort' },
      ],
      warned,
    ],
    ['no sink is enforced', [{ name: 'b', deliveryGuarantee: 'best-effort', only: [{ namespaces: ['a'] }] }], []],
  ])('warns, if it must, of what no enforced sink selects: %s', (_, sinks, expected) => {
    expect(selectionWarnings(sinks, plain)).toEqual(expected)
  })
})
