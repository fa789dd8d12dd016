import { METHODS } from 'node:http'
import fc from 'fast-check'
import Fastify from 'fastify'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Stage } from '../../src/event/event.js'
import { type Facts, NO_FACTS } from '../../src/policy/facts.js'
import { compileFilters } from '../../src/policy/filter.js'
import type { FilterOptions, HttpFilterOptions } from '../../src/policy/filter-options.js'
import { filterWarnings } from '../../src/policy/filter-warnings.js'
import { compileGlob, expandBraces, PatternError } from '../../src/policy/glob.js'
import { canonicalPath, type RouterFolding, rawPath } from '../../src/policy/path.js'
import { routerFolding } from '../../src/policy/router-folding.js'
import { EXCLUDES_BOTH as BOTH, EXCLUDES_COMPLETE, EXCLUDES_RECEIVED } from '../../src/policy/stages.js'
import { STATUS_PATTERN } from '../../src/policy/statuses.js'
import { foldsAll, plain } from '../support/folding.js'
import { runs } from '../support/runs.js'

afterEach(() => {
  vi.restoreAllMocks()
})

function filter(endpoints: string | string[], more: Partial<HttpFilterOptions> = {}): HttpFilterOptions {
  return { endpoints: [endpoints].flat(), stages: ['*'], operations: ['*'], ...more }
}

/**
 * The definition, word by word: an endpoint, a stage and an operation match, for the path in both spellings; an actor
 * and a namespace, where there are any; and a status, where there are any, of a Complete that has one.
 */
function naiveExcluded(
  filters: readonly HttpFilterOptions[],
  folding: RouterFolding,
  operation: string,
  url: string,
  status?: number,
  facts: Facts = NO_FACTS,
): number {
  const classOf = (code?: number) => `${Math.floor((code ?? 0) / 100)}xx`
  const fold = (text: string) => (folding.caseSensitive ? text : text.toLowerCase())
  const spellings = [rawPath(url, folding), canonicalPath(url, folding)].map(fold)
  const meets = (list: readonly string[] | undefined, text: string | undefined) =>
    list === undefined || (text !== undefined && list.flatMap(expandBraces).some((glob) => compileGlob(glob)(text)))
  const excludes = (stage: Stage) =>
    filters.some(
      ({ endpoints, stages, operations, statuses, actors, namespaces }) =>
        meets(actors, facts.actor) &&
        meets(namespaces, facts.namespace) &&
        (statuses === undefined
          ? stages.some((each) => each === '*' || each === stage)
          : stage === 'OperationComplete' &&
            statuses.some((each) => each === `${status}` || each === classOf(status))) &&
        operations.flatMap(expandBraces).some((glob) => compileGlob(glob)(operation)) &&
        endpoints
          .flatMap(expandBraces)
          .map((glob) => compileGlob(fold(glob)))
          .some((matches) => spellings.every(matches)),
    )
  return (
    (excludes('OperationReceived') ? EXCLUDES_RECEIVED : 0) | (excludes('OperationComplete') ? EXCLUDES_COMPLETE : 0)
  )
}

const someOf = (...all: string[]) =>
  fc.option(fc.array(fc.constantFrom(...all), { maxLength: 2 }), { nil: undefined, freq: 2 })
const anyFilter = fc.record({
  endpoints: fc.array(
    fc.constantFrom('*', '**', '/a', '/A', '/a/*', '/*/b', '*b*', '/{a,b}', '/a{,/*}', '/*a*b', '*/', '/%2Fa'),
    { maxLength: 3 },
  ),
  stages: fc.uniqueArray(fc.constantFrom<Stage | '*'>('OperationReceived', 'OperationComplete', '*'), { maxLength: 2 }),
  operations: fc.array(fc.constantFrom('*', '**', 'GET', '{GET,HEAD}', 'P*', '*T', 'get'), { maxLength: 2 }),
  actors: someOf('*', 'u1', 'u*', '{u1,u2}'),
  namespaces: someOf('*', 'a', '{a,b}', 'A'),
})
const anyFacts: fc.Arbitrary<Facts> = fc.record({
  actor: fc.constantFrom('u1', 'u2', 'anonymous'),
  namespace: fc.constantFrom('a', 'b', 'default'),
  action: fc.constant(undefined),
  targets: fc.constant([]),
  outcome: fc.constant(undefined),
})
const anyUrl = fc.oneof(
  fc
    .string({ unit: fc.constantFrom('a', 'b', 'A', '/', '%61', '%2F', '?', ';'), maxLength: 6 })
    .map((path) => `/${path}`),
  fc.constantFrom('/', '/a', '/a/b', '/b', '*', 'http://a/b', 'http://b/a/b', '/a?b'),
)

describe('compileFilters', () => {
  it('excludes what the definition excludes, whatever the number and order of the filters', () => {
    const seen = new Set<number>()
    fc.assert(
      fc.property(
        fc.array(anyFilter, { maxLength: 4 }),
        fc.constantFrom(plain, foldsAll),
        fc.constantFrom('GET', 'HEAD', 'POST', 'PATCH', 'DELETE'),
        fc.array(anyUrl, { minLength: 1, maxLength: 4 }),
        anyFacts,
        (filters, folding, operation, urls, facts) => {
          const compiled = compileFilters(filters, folding)
          for (const url of urls) {
            const expected = naiveExcluded(filters, folding, operation, url, undefined, facts)
            seen.add(expected)
            expect(compiled.excluded(operation, url, facts)).toBe(expected)
          }
        },
      ),
      { numRuns: runs(300) },
    )
    expect([...seen].sort()).toEqual([0, EXCLUDES_RECEIVED, EXCLUDES_COMPLETE, BOTH])
  })

  it('excludes by status what the definition excludes, and nothing of it before the status is known', () => {
    const seen = new Set<number>()
    const statuses = fc.option(
      fc.array(fc.constantFrom('2xx', '200', '304', '4xx', '404', '599', '1xx'), { maxLength: 3 }),
      { nil: undefined, freq: 3 },
    )
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.oneof(anyFilter, fc.constant(filter('*', { stages: [] }))), statuses).map(([each, own]) => ({
            ...each,
            statuses: own,
          })),
          { maxLength: 4 },
        ),
        fc.constantFrom(plain, foldsAll),
        fc.constantFrom('GET', 'HEAD', 'POST'),
        anyUrl,
        fc.constantFrom(100, 199, 200, 204, 299, 300, 304, 400, 404, 499, 500, 599),
        anyFacts,
        (filters, folding, operation, url, status, facts) => {
          const compiled = compileFilters(filters, folding)
          const fixed = filters.filter((each) => each.statuses === undefined)
          const before = naiveExcluded(fixed, folding, operation, url, undefined, facts)
          expect(compiled.excluded(operation, url, facts)).toBe(before)
          const complete = before & EXCLUDES_COMPLETE
          const after = complete !== 0 || compiled.excludesStatus(operation, url, status, facts)
          const expected = naiveExcluded(filters, folding, operation, url, status, facts) & EXCLUDES_COMPLETE
          expect(after).toBe(expected !== 0)
          expect(compiled.hasStatuses).toBe(fixed.length < filters.length)
          seen.add(complete === 0 && after ? status : 0)
        },
      ),
      { numRuns: runs(300) },
    )
    expect(seen.size).toBeGreaterThan(5)
  })

  it('asks for no actor and no namespace, unless a filter tells them apart', () => {
    const needs = (more: Partial<HttpFilterOptions>) => {
      const { needsActor, needsNamespace } = compileFilters([filter('*', more)], plain)
      return { needsActor, needsNamespace }
    }
    expect(needs({})).toEqual({ needsActor: false, needsNamespace: false })
    expect(needs({ actors: ['*'], namespaces: ['**'] })).toEqual({ needsActor: false, needsNamespace: false })
    expect(needs({ actors: ['u*'] })).toEqual({ needsActor: true, needsNamespace: false })
    expect(needs({ namespaces: ['a'] })).toEqual({ needsActor: false, needsNamespace: true })
  })

  it('has nothing to do with actions beside requests', () => {
    const actions: FilterOptions = { type: 'ActionEvent', actions: ['*'] }
    expect(compileFilters([actions], plain).isEmpty).toBe(true)
    expect(compileFilters([actions, filter('/a')], plain).excluded('GET', '/b')).toBe(0)
    expect(compileFilters([actions, filter('/a', { type: 'HTTPEvent' })], plain).excluded('GET', '/a')).toBe(BOTH)
  })

  it('keeps the denied ones of the reads that it excludes by status', () => {
    const found = filter('*', { stages: ['*'], operations: ['{GET,HEAD}'], statuses: ['2xx', '304'] })
    const filters = compileFilters([found], plain)
    expect(filters).toMatchObject({ isEmpty: false, hasStatuses: true })
    expect(filters.excluded('GET', '/v1/jobs')).toBe(0)
    for (const status of [200, 204, 299, 304]) expect(filters.excludesStatus('GET', '/v1/jobs', status)).toBe(true)
    for (const status of [101, 301, 401, 403, 404, 500]) {
      expect(filters.excludesStatus('GET', '/v1/jobs', status)).toBe(false)
    }
    expect(filters.excludesStatus('POST', '/v1/jobs', 200)).toBe(false)
    expect(filters.excludesStatus('PWN', '/v1/jobs', 200)).toBe(false)
  })

  it('excludes by status no status that is none', () => {
    const filters = compileFilters([filter('*', { statuses: ['1xx', '2xx', '3xx', '4xx', '5xx'] })], plain)
    for (const status of [0, 99, 600, 999, -200, 200.5, Number.NaN]) {
      expect(filters.excludesStatus('GET', '/', status)).toBe(false)
    }
  })

  it('excludes by status only what a pattern matches in both spellings', () => {
    const filters = compileFilters([filter(['/health', '/%68*'], { statuses: ['200'] })], plain)
    expect(filters.excludesStatus('GET', '/health', 200)).toBe(true)
    expect(filters.excludesStatus('GET', '/%68ealth', 200)).toBe(false)
    expect(filters.excludesStatus('GET', 'http://x/health', 200)).toBe(false)
  })

  it('is empty without filters', () => {
    expect(compileFilters([], plain).isEmpty).toBe(true)
    expect(compileFilters([], plain).excluded('GET', '/health')).toBe(0)
    expect(compileFilters([], plain).hasStatuses).toBe(false)
    expect(compileFilters([], plain).excludesStatus('GET', '/health', 200)).toBe(false)
    expect(compileFilters([filter('/health')], plain).isEmpty).toBe(false)
  })

  it.each([
    ['endpoints', filter([])],
    ['stages', filter('*', { stages: [] })],
    ['operations', filter('*', { operations: [] })],
  ])('excludes nothing by an empty list of %s', (_, empty) => {
    expect(compileFilters([empty], plain).excluded('GET', '/health')).toBe(0)
  })

  it('excludes the stages that a filter names', () => {
    const reads = filter('*', { stages: ['OperationReceived'], operations: ['{GET,HEAD}'] })
    const filters = compileFilters([reads, filter('/health', { operations: ['GET'] })], plain)
    expect(filters.excluded('GET', '/v1/jobs')).toBe(EXCLUDES_RECEIVED)
    expect(filters.excluded('GET', '/health')).toBe(BOTH)
    expect(filters.excluded('HEAD', '/health')).toBe(EXCLUDES_RECEIVED)
    expect(filters.excluded('POST', '/health')).toBe(0)
  })

  it('takes case as it is where the router does, and folds path and pattern where the router folds', () => {
    const insensitive = { ...plain, caseSensitive: false }
    expect(compileFilters([filter('/Health')], plain).excluded('GET', '/health')).toBe(0)
    expect(compileFilters([filter('/Health')], plain).excluded('GET', '/Health')).toBe(BOTH)
    expect(compileFilters([filter('/Health')], insensitive).excluded('GET', '/HEALTH')).toBe(BOTH)
  })

  it('excludes a method that Node does not know only where every operation is meant', () => {
    const filters = compileFilters([filter('/a'), filter('/b', { operations: ['P*'] })], plain)
    expect(filters.excluded('PWN', '/a')).toBe(BOTH)
    expect(filters.excluded('PWN', '/b')).toBe(0)
    expect(filters.excluded('__proto__', '/b')).toBe(0)
    expect(filters.excluded('PUT', '/b')).toBe(BOTH)
  })

  it('throws a PatternError for braces that are not sound', () => {
    expect(() => compileFilters([filter('/{a}')], plain)).toThrow(PatternError)
  })

  it('does not look at the path when every endpoint is meant, or none', () => {
    const filters = compileFilters([filter('*', { operations: ['GET'] }), filter('/x', { operations: ['GET'] })], plain)
    const look = vi.spyOn(String.prototype, 'charCodeAt')
    expect(filters.excluded('GET', '/v1/jobs')).toBe(BOTH)
    expect(filters.excluded('POST', '/v1/jobs')).toBe(0)
    expect(look).not.toHaveBeenCalled()
  })
})

describe('no spelling of a URL', () => {
  const foldings = [plain, foldsAll]
  const health = [filter('/health*'), filter('*health'), filter('/health'), filter('/health/*')]

  it.each([
    '/v1/secrets/7?x=/health',
    '/v1/secrets/7#/health',
    'http://health/v1/secrets/7',
    'http://u:health@h/v1/secrets/7',
    '/v1/%73ecrets/7',
    '/v1/secrets/7?/health',
    '/%76%31/secrets/7?health',
    '*v1/secrets/7',
  ])('has %s excluded by filters of another path', (url) => {
    for (const folding of foldings) expect(compileFilters(health, folding).excluded('GET', url)).toBe(0)
  })

  it('has a path excluded by a pattern that matches its encoded or its decoded form alone', () => {
    const decoded = compileFilters([filter('*health*')], plain)
    expect(decoded.excluded('GET', '/v1/secrets/%68ealth')).toBe(0)
    expect(decoded.excluded('GET', '/%2568ealth')).toBe(0)
    expect(decoded.excluded('GET', 'http://health/v1/secrets/7')).toBe(0)
    const encoded = compileFilters([filter('*%73*')], plain)
    expect(encoded.excluded('GET', '/v1/%73ecrets/7')).toBe(0)
  })

  it('has a path excluded by two patterns of which each matches one form', () => {
    const filters = compileFilters([filter(['/%68*', '/health'])], plain)
    expect(filters.excluded('GET', '/%68ealth')).toBe(0)
  })

  it('has its dot segments resolved: the router does not, so that such a path reaches no other route', async () => {
    const url = '/health/../v1/secrets'
    const app = Fastify({ rewriteUrl: () => url })
    app.get('/v1/secrets', () => 'secret')
    expect((await app.inject('/')).statusCode).toBe(404)
    expect(compileFilters([filter(['/health', '/v1/secrets'])], plain).excluded('GET', url)).toBe(0)
    expect(compileFilters([filter('/health/*')], plain).excluded('GET', url)).toBe(BOTH)
    await app.close()
  })

  it('that reaches a route is excluded by a pattern that does not match the route', async () => {
    let url = '/'
    let reached = false
    const app = Fastify({ rewriteUrl: () => url })
    app.get('/v1/secrets/7', () => {
      reached = true
      return ''
    })
    await app.ready()
    const filters = compileFilters(health, routerFolding(app.initialConfig))
    const path = [...'/v1/secrets/7']
    const spelling = fc
      .tuple(
        fc.constantFrom('', 'http://health', 'HTTP://health:80', 'http://health@h'),
        fc.array(fc.boolean(), { minLength: path.length, maxLength: path.length }),
        fc.constantFrom('', '?x=/health', '#/health', '?/health*', '/health'),
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
        expect(filters.excluded('GET', url)).toBe(0)
      }),
      { numRuns: runs(100) },
    )
    await app.close()
    expect(hits).toBeGreaterThan(15)
  })
})

describe('filterWarnings', () => {
  const warn = (filters: HttpFilterOptions[], folding = plain, enforced = false) =>
    filterWarnings(filters, folding, { enforced })

  it.each([
    ['/v1?x=*', '"?"'],
    ['/v1#x', '"#"'],
    ['v1/jobs', 'begins with "/"'],
    ['http://h/v1', 'scheme and host are removed'],
    ['/v1/%73ecrets', 'are decoded'],
    ['/a%2fb', '"%2F" alone is kept'],
    ['/100%', 'are decoded'],
    ['/café', 'percent-encode'],
    ['/a b', 'percent-encode'],
  ])('names the filter whose endpoint %s matches no request', (endpoint, expected) => {
    const warnings = warn([filter('/fine', { name: 'fine' }), filter(endpoint, { name: 'odd' })])
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(/^Filter "odd": endpoint /)
    expect(warnings[0]).toContain(JSON.stringify(endpoint))
    expect(warnings[0]).toContain(expected)
  })

  it.each([
    ['/v1/', 'ignores a trailing slash'],
    ['/a//b', '"//" for "/"'],
    ['/a;b', '";"'],
  ])('says that %s matches nothing only where the router folds it', (endpoint, expected) => {
    expect(warn([filter(endpoint)])).toEqual([])
    expect(warn([filter(endpoint)], foldsAll)).toEqual([expect.stringContaining(expected)])
  })

  it('says nothing of patterns that match something', () => {
    const endpoints = [
      '*',
      '/',
      '*/',
      '/health',
      '/Health*',
      '/v1/*/keys',
      '/a%2Fb',
      '/{a,b}',
      '*.js',
      '/~x',
      '{/a,/b}',
    ]
    expect(warn([filter(endpoints)])).toEqual([])
    expect(warn([filter(endpoints)], foldsAll)).toEqual([])
  })

  it('warns of no pattern that some spelling of a path matches in both forms', () => {
    const path = fc.string({ unit: fc.constantFrom('a', 'B', '/', '.', ';', '%2F', '-'), maxLength: 6 })
    fc.assert(
      fc.property(path, fc.constantFrom(plain, foldsAll), (rest, folding) => {
        const pattern = `/${rest}`
        const excluded = compileFilters([filter(pattern)], folding).excluded('GET', pattern)
        expect(warn([filter(pattern)], folding)).toHaveLength(excluded === BOTH ? 0 : 1)
      }),
    )
  })

  it('names the targets that are no target', () => {
    const targets = ['invoice', 'invoice:*', '*', '{user,user:1}']
    expect(filterWarnings([{ type: 'ActionEvent', actions: ['*'], targets }], plain, { enforced: true })).toEqual([
      'Filter 1: target "invoice" matches no target, which is its type, ":" and its id; write "invoice:*" for every id',
      'Filter 1: target "user" matches no target, which is its type, ":" and its id; write "user:*" for every id',
    ])
  })

  it('names an unnamed filter by its place', () => {
    expect(warn([filter('/a'), filter('?')])[0]).toMatch(/^Filter 2: /)
  })

  it.each(['get', 'FETCH', '{GET,FETCH}', 'X*'])('says that operation %s matches no HTTP method', (operation) => {
    expect(warn([filter('/a', { operations: [operation] })])).toEqual([
      expect.stringContaining('matches no HTTP method'),
    ])
  })

  it.each(METHODS)('knows %s', (operation) => {
    expect(warn([filter('/a', { operations: [operation] })])).toEqual([])
  })

  it('warns of writes that begin unrecorded under an enforced sink', () => {
    const writes = filter('/a', { stages: ['OperationReceived'], operations: ['{GET,POST}', 'PUT'], name: 'writes' })
    expect(warn([writes], plain, true)).toEqual([
      expect.stringMatching(/^Filter "writes": excludes OperationReceived of POST, PUT: /),
    ])
    expect(warn([{ ...writes, stages: ['*'], operations: ['*'] }], plain, true)).toEqual([
      expect.stringContaining('of POST, PUT, PATCH, DELETE and '),
    ])
    expect(warn([writes], plain, false)).toEqual([])
    expect(warn([{ ...writes, stages: ['*'], statuses: ['2xx'] }], plain, true)).toEqual([])
    expect(warn([{ ...writes, stages: ['OperationComplete'] }], plain, true)).toEqual([])
    expect(warn([{ ...writes, operations: ['{GET,HEAD}', 'OPTIONS'] }], plain, true)).toEqual([])
  })
})

describe('STATUS_PATTERN', () => {
  it('has statuses and classes of them', () => {
    for (const status of ['100', '404', '599', '1xx', '5xx']) expect(status).toMatch(STATUS_PATTERN)
    for (const status of ['', '099', '600', '6xx', '2XX', '20x', '2x', '2xxx', '*', ' 200', '200\n']) {
      expect(status).not.toMatch(STATUS_PATTERN)
    }
  })
})
