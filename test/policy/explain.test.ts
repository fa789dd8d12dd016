import fc from 'fast-check'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Outcome } from '../../src/event/action.js'
import type { Stage } from '../../src/event/event.js'
import { type LevelOption, METADATA, NONE } from '../../src/event/level.js'
import plugin, { memorySink } from '../../src/index.js'
import { routerConfig } from '../../src/plugin/fastify-internals.js'
import { type ExplainedOptions, Explainer } from '../../src/policy/explain.js'
import type { Explanation, SinkExplanation } from '../../src/policy/explanation.js'
import type { FilterOptions, HttpFilterOptions } from '../../src/policy/filter-options.js'
import type { RouteAudit } from '../../src/policy/route-level.js'
import { DeclaredRoute, RouteTable } from '../../src/policy/route-table.js'
import { routerFolding } from '../../src/policy/router-folding.js'
import type { RuleOptions } from '../../src/policy/rules.js'
import type { SelectorOptions } from '../../src/policy/selection.js'
import { routed } from '../support/fastify.js'
import { runs } from '../support/runs.js'

function tableOf(app: FastifyInstance): RouteTable {
  return new RouteTable(app, routerConfig(app))
}

/** A server that notes the pattern of each request's route, and the table of its routes. */
function server(declare: (app: FastifyInstance) => void, factory: FastifyServerOptions = {}) {
  let url = '/'
  const app = Fastify({ ...factory, rewriteUrl: () => url })
  onTestFinished(() => app.close())
  const routes = tableOf(app)
  app.addHook('onRoute', (route) => routes.add(route))
  let routed: string | undefined
  app.addHook('onRequest', (request, reply) => {
    routed = request.routeOptions.url
    reply.send('')
  })
  app.register(async (inner) => declare(inner))
  return {
    app,
    routes,
    /** The route that a running server takes. */
    async route(method: string, to: string, headers: Record<string, string> = {}): Promise<string | undefined> {
      routed = undefined
      url = to
      // `inject` lets through what its types do not know, as a socket does.
      const options: object = { method, url: '/', headers }
      await app.inject(options)
      return routed
    },
  }
}

function explainer(options: Partial<ExplainedOptions>, routes: Pick<RouteTable, 'find'>): Explainer {
  const sinks = [{ name: 'file', filters: [] }]
  const folding = routerFolding(Fastify().initialConfig)
  return new Explainer({ filters: [], rules: [], level: METADATA, sinks, ...options }, folding, routes)
}

/** Without routes: everything is a 404. */
const nowhere: Pick<RouteTable, 'find'> = { find: () => ({ route: undefined, constrained: undefined }) }

function explain(options: Partial<ExplainedOptions>, method = 'GET', url = '/v1/jobs'): Explanation {
  return explainer(options, nowhere).explain(method, url)
}

const handler = async () => ''

function declareMany(app: FastifyInstance): void {
  app.get('/', handler)
  app.get('/v1/secrets', handler)
  app.get('/v1/secrets/:id', handler)
  app.post('/v1/secrets/:id', handler)
  app.get('/v1/secrets/:id/keys', handler)
  app.get('/v1/Case', handler)
  app.get('/files/*', handler)
  app.get('/optional/:name?', handler)
  app.get('/at/:hour(^\\d{2}$)h:minute(^\\d{2}$)m', handler)
  app.get('/double::colon', handler)
  app.get('/100%', handler)
  app.route({ method: ['PUT', 'DELETE'], url: '/two', handler })
  app.head('/own-head', handler)
  app.get('/own-head', handler)
  app.get('/no-head', { exposeHeadRoute: false }, handler)
  app.options('*', handler)
  app.register(
    async (inner) => {
      inner.get('/', handler)
      inner.get('/a', handler)
    },
    { prefix: '/both' },
  )
  app.register(
    async (inner) => {
      inner.get('/', { prefixTrailingSlash: 'slash' }, handler)
      inner.post('/', { prefixTrailingSlash: 'no-slash' }, handler)
      inner.put('', handler)
    },
    { prefix: '/one' },
  )
  app.register(async (inner) => void inner.get('/', handler), { prefix: '/ends/' })
}

// Fastify's types do not know every key that `routerOptions` takes.
const semicolons: object = { useSemicolonDelimiter: true, maxParamLength: 5 }

const factories: FastifyServerOptions[] = [
  {},
  routed({ caseSensitive: false }),
  routed({ ignoreTrailingSlash: true }),
  routed({ ignoreDuplicateSlashes: true, ignoreTrailingSlash: true }),
  routed(semicolons),
  { exposeHeadRoutes: false },
]

const known = [
  '/',
  '/v1/secrets',
  '/v1/secrets/7',
  '/v1/secrets/abcdefgh',
  '/v1/secrets/7/keys',
  '/v1/Case',
  '/files/a/b',
  '/optional',
  '/optional/x',
  '/at/12h30m',
  '/double:colon',
  '/100%25',
  '/two',
  '/own-head',
  '/no-head',
  '/both',
  '/both/',
  '/both/a',
  '/one',
  '/one/',
  '/ends/',
  '/ends',
]

/** One of the paths above as a client may spell it. */
const spelled = fc
  .tuple(
    fc.constantFrom(...known),
    fc.array(fc.nat({ max: 30 }), { maxLength: 4 }),
    fc.constantFrom('', '', 'http://h', 'HTTPS://h:1', 'http://h#', 'ftp://h', 'http:/'),
    fc.constantFrom('', '', '/', '//', '?a=/files/', '#x', ';x', '/%zz', '%2F', '/../v1'),
    fc.constantFrom('encode', 'double', 'upper', 'drop'),
  )
  .map(([path, places, before, after, how]) => {
    const chars = [...path].map((char, index) => (places.includes(index) ? respelled(char, how) : char))
    return before + chars.join('') + after
  })

function respelled(char: string, how: string): string {
  if (how === 'encode') return `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`
  if (how === 'double') return char + char
  return how === 'upper' ? char.toUpperCase() : ''
}

describe('the route', () => {
  it.each(factories.map((factory) => [JSON.stringify(factory), factory] as const))(
    'of an explanation is the one that a running server takes, whatever the spelling, with %s',
    async (_, factory) => {
      const { app, routes, route } = server(declareMany, factory)
      await app.ready()
      const seen = new Set<string | undefined>()
      for (const path of known) {
        for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']) {
          const expected = await route(method, path)
          seen.add(expected)
          expect([method, path, routes.find(method, path).route?.pattern]).toEqual([method, path, expected])
        }
      }
      const method = fc.constantFrom('GET', 'GET', 'HEAD', 'POST', 'PUT', 'OPTIONS', 'TRACE')
      await fc.assert(
        fc.asyncProperty(method, spelled, async (operation, url) => {
          expect(routes.find(operation, url).route?.pattern).toBe(await route(operation, url))
        }),
        { numRuns: runs(150) },
      )
      expect(seen.size).toBeGreaterThan(15)
      expect(seen).toContain(undefined)
    },
  )
})

describe('a table of routes', () => {
  it('knows nothing of methods that clients made up', async () => {
    const { app, routes } = server(declareMany)
    await app.ready()
    for (const method of ['PWN', '__proto__', 'get', '']) expect(routes.find(method, '/').route).toBeUndefined()
  })

  it('takes routes that are declared after the first question', () => {
    const routes = tableOf(Fastify())
    expect(routes.find('GET', '/late').route).toBeUndefined()
    routes.add({ method: 'GET', url: '/late', routePath: '/late' })
    expect(routes.find('GET', '/late').route?.pattern).toBe('/late')
  })

  it('prefers the route without constraints, and names the one whose constraints may hold', async () => {
    const { app, routes, route } = server((inner) => {
      inner.get('/a', handler)
      inner.get('/:any', { constraints: { host: 'one.example' } }, handler)
      inner.get('/v/:other', { constraints: { host: 'one.example' } }, handler)
      inner.get('/v/:same', { constraints: { version: '1.0.0' } }, handler)
      inner.get('/v/*', handler)
    })
    await app.ready()
    expect(routes.find('GET', '/a')).toMatchObject({ route: { pattern: '/a' }, constrained: undefined })
    expect(routes.find('GET', '/b')).toEqual({ route: undefined, constrained: '/:any' })
    expect(routes.find('GET', '/v/1').route?.pattern).toBe('/v/*')
    expect(['/v/:other', '/v/:same']).toContain(routes.find('GET', '/v/1').constrained)
    expect(await route('GET', '/b', { host: 'two.example' })).toBeUndefined()
    expect(await route('GET', '/b', { host: 'one.example' })).toBe('/:any')
    expect(await route('GET', '/v/1', { host: 'two.example' })).toBe('/v/*')
  })

  it('keeps to the slashes that a constrained route under a prefix has', async () => {
    const { app, routes, route } = server((outer) => {
      outer.register(async (inner) => void inner.get('/', { constraints: { host: 'h' } }, handler), { prefix: '/p' })
    })
    await app.ready()
    const pattern = await route('GET', '/p/', { host: 'h' })
    expect(['/p', '/p/']).toContain(pattern)
    expect(routes.find('GET', '/p/').constrained).toBe(pattern)
  })

  it('refuses what no router takes', () => {
    const routes = tableOf(Fastify())
    routes.add({ method: 'GET', url: '/a/*/b', routePath: '/a/*/b' })
    expect(() => routes.find('GET', '/')).toThrow('Wildcard must be the last character')
  })
})

describe('an explanation', () => {
  const routed = (audit: RouteAudit | undefined): Pick<RouteTable, 'find'> => ({
    find: () => ({ route: new DeclaredRoute('/v1/jobs/:id', audit), constrained: undefined }),
  })
  const rules: RuleOptions[] = [
    { endpoints: ['/v1/*'], level: 'request' },
    { name: 'rest', level: 'none' },
  ]

  it('names what decided the level', () => {
    const by = (options: Partial<ExplainedOptions>, url = '/v1/jobs/7', audit?: RouteAudit) => {
      const { level, by, rule } = explainer(options, routed(audit)).explain('GET', url)
      return { level, by, rule }
    }
    expect(by({})).toEqual({ level: 'metadata', by: 'level' })
    expect(by({ rules })).toEqual({ level: 'request', by: 'rule', rule: { index: 0 } })
    expect(by({ rules }, '/x')).toEqual({ level: 'none', by: 'rule', rule: { index: 1, name: 'rest' } })
    expect(by({ rules }, '/x', { level: 'response' })).toEqual({ level: 'response', by: 'route' })
    expect(by({ rules }, '/x', false)).toEqual({ level: 'none', by: 'route' })
    expect(by({ rules }, '/x', true)).toEqual({ level: 'metadata', by: 'route' })
    expect(by({ rules }, '/v1/x', true)).toEqual({ level: 'request', by: 'rule', rule: { index: 0 } })
  })

  it('has the rules meet the pattern of the route, and the namespace that is asked for', () => {
    const byAll: RuleOptions[] = [
      { routes: ['/v1/jobs/:id'], namespaces: ['prod'], level: 'response' },
      { namespaces: ['default'], level: 'request' },
    ]
    const asked = explainer({ rules: byAll }, routed(undefined))
    expect(asked.explain('GET', '/', { namespace: 'prod' }).level).toBe('response')
    expect(asked.explain('GET', '/', { namespace: 'dev' }).level).toBe('metadata')
    expect(asked.explain('GET', '/').level).toBe('request')
    expect(explain({ rules: byAll }).level).toBe('request')
  })

  it("names the filters of each sink, the plugin's first, and what they leave", () => {
    const reads: FilterOptions = { endpoints: ['*'], stages: ['OperationReceived'], operations: ['GET'] }
    const found: FilterOptions = { ...reads, name: 'found', stages: ['*'], statuses: ['2xx', '304'] }
    const probes: FilterOptions = { endpoints: ['/health'], stages: ['*'], operations: ['*'] }
    const sinks = [
      { name: 'file', filters: [probes, found] },
      { name: 'stdout', filters: [] },
    ]
    const options = { filters: [probes, reads], sinks }
    expect(explain(options).sinks).toEqual({
      file: {
        received: false,
        complete: 'by status',
        filters: [
          { name: 'filters[1]', excludes: ['OperationReceived'] },
          { name: 'found', excludes: ['OperationComplete'], statuses: ['2xx', '304'] },
        ],
      },
      stdout: {
        received: false,
        complete: true,
        filters: [{ name: 'filters[1]', excludes: ['OperationReceived'] }],
      },
    })
    expect(explain(options, 'GET', '/health').sinks.file).toMatchObject({ received: false, complete: false })
    expect(explain(options, 'GET', '/health').sinks.file?.filters.map(({ name }) => name)).toEqual([
      'filters[0]',
      'filters[1]',
      'sinks[0].filters[0]',
      'found',
    ])
    expect(explain(options, 'POST').sinks.file).toEqual({ received: true, complete: true, filters: [] })
  })

  it('has nothing recorded at level none', () => {
    expect(explain({ level: NONE })).toMatchObject({
      level: 'none',
      sinks: { file: { received: false, complete: false } },
    })
  })

  it('sums itself up in a sentence', () => {
    const found: FilterOptions = {
      name: 'found',
      endpoints: ['*'],
      stages: ['*'],
      operations: ['GET'],
      statuses: ['2xx', '304'],
    }
    const quiet: FilterOptions = { endpoints: ['*'], stages: ['*'], operations: ['GET'] }
    const sinks = [
      { name: 'file', filters: [found] },
      { name: 'stdout', filters: [quiet] },
    ]
    expect(explainer({ sinks, rules }, routed(undefined)).explain('GET', '/v1/jobs/7').summary).toBe(
      'GET /v1/jobs/7 (route /v1/jobs/:id): level request by rules[0]; ' +
        'sink "file" records OperationReceived and OperationComplete of some statuses (filters: found for 2xx, 304); ' +
        'sink "stdout" records nothing (filters: sinks[1].filters[0])',
    )
    expect(explain({ rules }, 'GET', '/x').summary).toBe(
      'GET /x (no known route): level none by rule "rest"; nothing is recorded',
    )
    expect(explainer({}, routed({ level: 1 })).explain('PUT', '/x').summary).toBe(
      "PUT /x (route /v1/jobs/:id): level metadata by the route's config.audit; " +
        'sink "file" records OperationReceived and OperationComplete',
    )
    const held: Pick<RouteTable, 'find'> = { find: () => ({ route: undefined, constrained: '/:any' }) }
    expect(explainer({}, held).explain('GET', '/b').summary).toMatch(
      /^GET \/b \(no known route, unless the constraints of route \/:any hold\): level metadata by the option level; /,
    )
  })
})

describe('app.audit.explain', () => {
  const anyFilter: fc.Arbitrary<HttpFilterOptions> = fc.record({
    endpoints: fc.constantFrom(['*'], ['/a*'], ['/%61', '/a/7']),
    stages: fc.constantFrom<HttpFilterOptions['stages'][]>(['*'], ['OperationReceived'], ['OperationComplete']),
    operations: fc.constantFrom(['*'], ['GET'], ['{POST,HEAD}']),
    actors: fc.constantFrom(undefined, undefined, ['u1'], ['u2', '*o*']),
    namespaces: fc.constantFrom(undefined, undefined, ['prod'], ['dev']),
  })
  const byStatus: fc.Arbitrary<HttpFilterOptions> = anyFilter.map((each) => ({
    ...each,
    stages: ['OperationComplete'],
    statuses: ['2xx', '403'],
  }))
  const filters = fc.array(fc.oneof(anyFilter, byStatus), { maxLength: 2 })
  const level = fc.constantFrom<LevelOption>('none', 'metadata', 'request', 3)
  const anyRule: fc.Arbitrary<RuleOptions> = fc.record(
    {
      routes: fc.constantFrom(['*'], ['/a/:id']),
      endpoints: fc.constantFrom(['/a*'], ['/%61*'], ['/nowhere']),
      operations: fc.constantFrom(['GET'], ['POST', 'HEAD']),
      namespaces: fc.constantFrom(['default'], ['prod']),
      actors: fc.constantFrom(['u1'], ['a*']),
      level,
    },
    { requiredKeys: ['level'] },
  )
  const config = fc.constantFrom<RouteAudit | undefined>(
    undefined,
    true,
    false,
    { level: 'response' },
    { action: 'a.read' },
    { action: 'a.read', targets: () => [{ type: 'thing', id: 7 }] },
  )
  const selectors = fc.constantFrom<SelectorOptions[]>(
    { endpoints: ['/a'] },
    { operations: ['POST'], actors: ['u1'] },
    { statuses: ['2xx'] },
    { statuses: ['403', '404'], endpoints: ['/%61', '/a/*', '/nowhere'] },
    { namespaces: ['prod'], operations: ['GET'] },
    { actions: ['a.read'] },
    { actions: ['a.change'], operations: ['POST'] },
    { targets: ['thing:*'] },
    { outcomes: ['denied'] },
  )
  const only = fc.option(fc.array(selectors, { minLength: 1, maxLength: 2 }), { nil: undefined, freq: 3 })

  const methods = ['GET', 'HEAD', 'POST'] as const
  const requests = methods.flatMap((method) => ['/a', '/%61', '/a/7', '/nowhere'].map((url) => [method, url] as const))

  const isA = (url: string) => url === '/a' || url === '/%61'

  /** What is recorded of a reply, by the explanation for its status. */
  function stagesOf(sink: SinkExplanation | undefined): string[] {
    return [
      ...(sink?.received === true ? ['OperationReceived'] : []),
      ...(sink?.complete === true ? ['OperationComplete'] : []),
    ]
  }

  /** Tells whether the explanation for any status agrees with that for one. */
  function agrees(of: SinkExplanation | undefined, one: SinkExplanation | undefined): boolean {
    return of?.received === one?.received && (of?.complete === 'by status' || of?.complete === one?.complete)
  }

  /** The same of an explanation for any outcome. */
  function agreesByOutcome(of: SinkExplanation | undefined, one: SinkExplanation | undefined): boolean {
    return of?.received === one?.received && (of?.complete === 'by outcome' || of?.complete === one?.complete)
  }

  const anyActionFilter: fc.Arbitrary<FilterOptions> = fc.record(
    {
      type: fc.constant('ActionEvent' as const),
      actions: fc.constantFrom(['*'], ['a.read'], ['a.{change,drop}']),
      targets: fc.constantFrom(['thing:*'], ['*']),
      outcomes: fc.constantFrom<Outcome[]>(['success'], ['denied', 'failure']),
      stages: fc.constantFrom<(Stage | '*')[]>(
        ['*'],
        ['OperationComplete'],
        ['OperationReceived', 'OperationComplete'],
      ),
      actors: fc.constantFrom(['u*'], ['nobody']),
    },
    { requiredKeys: ['type', 'actions'] },
  )

  it('says which stages a server records in which sink', async () => {
    let recorded = 0
    let excluded = 0
    await fc.assert(
      fc.asyncProperty(
        fc.record({ filters, rules: fc.array(anyRule, { maxLength: 2 }), level }),
        fc.tuple(filters, filters),
        fc.tuple(only, only),
        config,
        fc.constantFrom('u1', 'anonymous'),
        async (options, [first, second], [firstOnly, secondOnly], audit, actor) => {
          const app = Fastify()
          const memories = { first: memorySink(), second: memorySink() }
          await app.register(plugin, {
            ...options,
            namespace: () => 'prod',
            identity: () => (actor === 'anonymous' ? undefined : { accessorId: actor }),
            sinks: [
              { name: 'first', sink: memories.first, filters: first, only: firstOnly },
              {
                name: 'second',
                sink: memories.second,
                filters: second,
                only: secondOnly,
                deliveryGuarantee: 'best-effort',
              },
            ],
          })
          app.get('/a', { config: audit === undefined ? {} : { audit } }, async () => '')
          app.post('/a/:id', async ({ audit: record }, reply) => {
            record.action('a.change')
            return reply.code(403).send('')
          })
          const declaresTargets = typeof audit === 'object' && audit.targets !== undefined
          for (const [method, url] of requests) {
            for (const sink of Object.values(memories)) sink.clear()
            const { statusCode } = await app.inject({ method, url })
            await app.audit.flush()
            const asked = {
              namespace: 'prod',
              actor,
              ...(method === 'POST' && url === '/a/7' && { action: 'a.change' }),
              targets:
                declaresTargets && ['GET', 'HEAD'].includes(method) && isA(url) ? [{ type: 'thing', id: 7 }] : [],
            }
            const { sinks, summary } = app.audit.explain(method, url, { ...asked, status: statusCode })
            const whatever = app.audit.explain(method, url, asked)
            for (const [name, sink] of Object.entries(memories)) {
              const stages = sink.events.map(({ payload }) => payload.stage)
              expect([summary, ...stages]).toEqual([summary, ...stagesOf(sinks[name])])
              expect([whatever.summary, agrees(whatever.sinks[name], sinks[name])]).toEqual([whatever.summary, true])
              recorded += stages.length
              excluded += 2 - stages.length
            }
          }
          await app.close()
        },
      ),
      { numRuns: runs(10) },
    )
    expect(recorded).toBeGreaterThan(20)
    expect(excluded).toBeGreaterThan(20)
  })

  it('says of an action which records a server makes in which sink', async () => {
    const seen = new Map<string, number>()
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyActionFilter, { maxLength: 2 }),
        fc.array(anyActionFilter, { maxLength: 2 }),
        only,
        fc.constantFrom<(Outcome | undefined)[]>(['success', 'denied'], ['failure', undefined]),
        async (filters, own, selectors, outcomes) => {
          const app = Fastify()
          const sink = memorySink()
          await app.register(plugin, { filters, sinks: [{ name: 'a', sink, filters: own, only: selectors }] })
          await app.ready()
          const target = { type: 'thing', id: 7 }
          for (const [action, targets] of [
            ['a.read', []],
            ['a.change', [target]],
          ] as const) {
            const whatever = app.audit.explainAction({ action, targets, actor: 'u1', namespace: 'prod' }).sinks.a
            for (const outcome of outcomes) {
              const asked = { action, targets, actor: 'u1', namespace: 'prod', outcome }
              const given = { action, targets, actor: { accessorId: 'u1' }, namespace: 'prod' }
              await app.audit.flush()
              sink.clear()
              await app.audit.record({ ...given, outcome })
              const event = sink.actions.map(({ payload }) => payload.stage ?? 'event')
              sink.clear()
              await app.audit.run(given, (work) => void (outcome && work.outcome(outcome)))
              const stages = sink.actions.map(({ payload }) => payload.stage)
              // Work without an outcome of its own is a success.
              const { sinks, summary } = app.audit.explainAction(asked)
              const ended = app.audit.explainAction({ ...asked, outcome: outcome ?? 'success' }).sinks.a
              if (outcome !== undefined) {
                expect([summary, ...event]).toEqual([summary, ...(sinks.a?.complete === true ? ['event'] : [])])
                expect([summary, agreesByOutcome(whatever, sinks.a)]).toEqual([summary, true])
              }
              expect([summary, ...stages]).toEqual([summary, ...stagesOf(ended)])
              seen.set(stages.join(), (seen.get(stages.join()) ?? 0) + 1)
            }
          }
          await app.close()
        },
      ),
      { numRuns: runs(20) },
    )
    expect(seen.size).toBeGreaterThan(2)
  })

  it('is there when nothing is recorded', async () => {
    const app = Fastify()
    onTestFinished(() => app.close())
    await app.register(plugin, { enabled: false, level: 'response' })
    expect(app.audit.explain('GET', '/')).toMatchObject({ level: 'none', sinks: {} })
  })
})
