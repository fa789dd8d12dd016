import { connect } from 'node:net'
import fc from 'fast-check'
import Fastify, { type FastifyServerOptions } from 'fastify'
import { describe, expect, it } from 'vitest'
import { routerConfig } from '../../src/plugin/fastify-internals.js'
import { canonicalPath, type RouterFolding, rawPath } from '../../src/policy/path.js'
import { routerFolding } from '../../src/policy/router-folding.js'
import { routed } from '../support/fastify.js'
import { foldsAll, plain } from '../support/folding.js'
import { runs } from '../support/runs.js'

const foldings = [true, false].flatMap((caseSensitive) =>
  [true, false].flatMap((ignoreTrailingSlash) =>
    [true, false].flatMap((ignoreDuplicateSlashes) =>
      [true, false].map((useSemicolonDelimiter) => ({
        caseSensitive,
        ignoreTrailingSlash,
        ignoreDuplicateSlashes,
        useSemicolonDelimiter,
      })),
    ),
  ),
)

const staticRoutes = [
  ...['/', '/health', '/Health/Live', '/v1/secrets/7', '/v1/lists/', '/a+b', '/a%b', '/50%25', '/café', '/a b'],
  ...['/x::y', '/semi;x', '/a,b=c&d@e$', '/twice//x', '/ΑΣ', '/İ/x'],
]
const routes = [...staticRoutes, '/v1/items/:id', '/static/*']

/** What reached a handler: its route, and what the router read in place of the `:id` or `*`. */
interface Reached {
  route: string
  parameter: string | undefined
}

/** A real server to which any string can be sent as the URL, as only HTTP/2 and `rewriteUrl` can. */
async function server(options: FastifyServerOptions) {
  let url = '/'
  let reached: Reached | undefined
  const app = Fastify({ ...options, rewriteUrl: () => url })
  for (const route of routes) {
    app.get<{ Params: { id?: string; '*'?: string } }>(route, (request, reply) => {
      expect(request.url).toBe(url)
      reached = { route, parameter: request.params.id ?? request.params['*'] }
      return reply.send('')
    })
  }
  await app.ready()
  return {
    folding: routerFolding(routerConfig(app)),
    async route(spelling: string): Promise<Reached | undefined> {
      url = spelling
      reached = undefined
      await app.inject('/')
      return reached
    },
    close: () => app.close(),
  }
}

/** A URL that the router sends to a static route: what a route's text means, once encoded. */
function urlOf(route: string): string {
  return route.replaceAll('::', ':').replaceAll('%', '%25')
}

const percent = (char: string) =>
  [...new TextEncoder().encode(char)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')

/** What can be done to one character of a URL. */
const changes: Record<string, (char: string) => string> = {
  encoded: percent,
  encodedInLowerCase: (char) => percent(char).toLowerCase(),
  encodedTwice: (char) => percent(char).replaceAll('%', '%25'),
  upper: (char) => char.toUpperCase(),
  lower: (char) => char.toLowerCase(),
  slashes: (char) => (char === '/' ? '//' : char),
  manySlashes: (char) => (char === '/' ? '////' : char),
}

const change = fc.oneof(
  { weight: 6, arbitrary: fc.constant('none') },
  { weight: 3, arbitrary: fc.constant('encoded') },
  { weight: 1, arbitrary: fc.constantFrom(...Object.keys(changes)) },
)
const before = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  { weight: 2, arbitrary: fc.constantFrom('http://h', 'HTTPS://u:p@health:80', 'http://h;v', 'http:///', 'ftp://h') },
)
const after = fc.array(
  fc.constantFrom('/', '?', '?x=/health', '#f', ';p=1', ';', '%', '%zz', '%2F', '%3F', '//', '?a%zz', '/..'),
  { maxLength: 2 },
)
const target = fc.constantFrom(
  ...staticRoutes.map(urlOf),
  ...['/v1/items/7', '/v1/items/a:b', '/v1/items/a/b', '/static/v1/x', '/static/a%2Fb'],
)
const spelling = fc
  .tuple(target, fc.array(change, { maxLength: 16 }), before, fc.oneof(fc.constant([]), after), fc.nat(9))
  .map(([url, made, prefix, suffix, first]) => {
    const changed = [...url].map((char, i) => {
      // A fifth of the characters stays, so that a `%` that is there keeps its digits.
      const chosen = i === 0 ? 'none' : (made[i % Math.max(1, made.length)] ?? 'none')
      return (changes[chosen] ?? String)(char)
    })
    const path = changed.join('') + suffix.join('')
    return prefix + (first === 0 && prefix === '' ? `*${path.slice(1)}` : path)
  })

describe('canonicalPath', () => {
  it.each(foldings)(
    'is one for all spellings that the router sends to a route, when it folds as %j',
    async (folding) => {
      const app = await server(routed(folding))
      expect(app.folding).toEqual(folding)
      let hits = 0
      await fc.assert(
        fc.asyncProperty(spelling, async (url) => {
          const reached = await app.route(url)
          if (reached === undefined) return
          hits += 1
          const { route, parameter } = reached
          const raw = rawPath(url, folding)
          if (parameter === undefined) {
            expect(canonicalPath(url, folding)).toBe(canonicalPath(urlOf(route), folding))
          } else {
            const path = route.replace(/:id|\*/, () => parameter)
            // A handler cannot tell an encoded slash from a slash, nor "%252F" from "%2F".
            const slashes = (text: string) => text.replace(/%2f/gi, '/')
            const expected = folding.caseSensitive ? path : path.toLowerCase()
            expect(slashes(canonicalPath(url, folding))).toBe(slashes(expected))
          }
          expect(canonicalPath(raw, folding)).toBe(canonicalPath(url, folding))
        }),
        { numRuns: runs(200) },
      )
      await app.close()
      expect(hits).toBeGreaterThan(20)
    },
  )

  it('never throws, begins with a slash, and is the same for the URL without its query', () => {
    const any = fc.oneof(spelling, fc.string(), fc.string({ unit: 'binary' }), fc.webUrl(), fc.webPath())
    fc.assert(
      fc.property(any, fc.constantFrom(...foldings), (url, folding) => {
        const canonical = canonicalPath(url, folding)
        expect(canonical === '' ? url : canonical.charAt(0)).toBe(canonical === '' ? '' : '/')
        expect(canonicalPath(rawPath(url, folding), folding)).toBe(canonical)
        expect(url.startsWith(rawPath(url, folding))).toBe(true)
      }),
      { numRuns: runs(300) },
    )
  })

  it.each([
    ['/health', '/health'],
    ['/health?x=/v1/secrets', '/health'],
    ['/v1/secrets/7?x=/health', '/v1/secrets/7'],
    ['/v1/secrets/7#/health', '/v1/secrets/7'],
    ['/v1/secrets/7;/health', '/v1/secrets/7;/health'],
    ['http://health/v1/secrets/7', '/v1/secrets/7'],
    ['HTTPS://u:p@health:80/v1', '/v1'],
    ['http://health', '/'],
    ['http://health?x=/y', '/'],
    ['http://health#/y', '/'],
    ['ftp://health/x', '/tp://health/x'],
    ['/v1/%73ecrets/7', '/v1/secrets/7'],
    ['/v1/%2573ecrets', '/v1/%73ecrets'],
    ['/a%2Fb%2fc', '/a%2Fb%2Fc'],
    ['/a%3Ab%40c%3f%23%24%26%2b%2C%3b%3D', '/a:b@c?#$&+,;='],
    ['/caf%C3%A9', '/café'],
    ['/health/../v1/secrets', '/health/../v1/secrets'],
    ['/Health//x/', '/Health//x/'],
    ['*health', '/health'],
    ['*', '/'],
    ['', ''],
    ['/%zz', '/%zz'],
    ['/%73%', '/%73%'],
    ['/%C3', '/%C3'],
  ])('of %s is %s', (url, expected) => {
    expect(canonicalPath(url, plain)).toBe(expected)
  })

  it.each([
    ['/HEALTH', '/health'],
    ['/v1//secrets///7/', '/v1/secrets/7'],
    ['/health;/v1', '/health'],
    ['/a%2Fb', '/a%2fb'],
    ['//', '/'],
    ['/', '/'],
    ['/CAF%C3%89', '/café'],
    ['http://h;v/Health/', '/health'],
  ])('of %s is %s where the router folds everything', (url, expected) => {
    expect(canonicalPath(url, foldsAll)).toBe(expected)
  })

  it('hands a URL that has nothing to fold back as it is', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^\/([a-z0-9._~-]+(\/[a-z0-9._~-]+)*)?$/),
        fc.constantFrom(...foldings),
        (url, folding) => {
          expect(canonicalPath(url, folding)).toBe(url)
          expect(rawPath(url, folding)).toBe(url)
        },
      ),
    )
  })
})

describe('rawPath', () => {
  it.each([
    ['/v1/%73ecrets?x', '/v1/%73ecrets'],
    ['/v1#x', '/v1'],
    ['/v1;x', '/v1;x'],
    ['http://health/v1/secrets/7?x', 'http://health/v1/secrets/7'],
    ['http://health?x', 'http://health'],
    ['/Health//x/', '/Health//x/'],
    ['?health', '?health'],
  ])('of %s is %s', (url, expected) => {
    expect(rawPath(url, plain)).toBe(expected)
  })

  it('is cut at a semicolon of the path, not of the authority, where the router splits there', () => {
    expect(rawPath('/v1;x', foldsAll)).toBe('/v1')
    expect(rawPath('http://h;v/x;y', foldsAll)).toBe('http://h;v/x')
  })
})

describe('routerFolding', () => {
  it.each<[FastifyServerOptions, Partial<RouterFolding>]>([
    [{}, {}],
    [{ caseSensitive: false }, { caseSensitive: false }],
    [routed({ caseSensitive: false }), { caseSensitive: false }],
    [{ caseSensitive: false, ...routed({ caseSensitive: true }) }, {}],
    [{ caseSensitive: false, routerOptions: { maxParamLength: 50 } }, { caseSensitive: false }],
    [{ ignoreTrailingSlash: true, routerOptions: { maxParamLength: 50 } }, { ignoreTrailingSlash: true }],
    [
      { ignoreDuplicateSlashes: true, useSemicolonDelimiter: true },
      { ignoreDuplicateSlashes: true, useSemicolonDelimiter: true },
    ],
  ])('reads %j as the router does', async (options, expected) => {
    const app = await server(options)
    const folding = { ...plain, ...expected }
    expect(app.folding).toEqual(folding)
    expect((await app.route('/HEALTH')) === undefined).toBe(folding.caseSensitive)
    expect((await app.route('/health/')) === undefined).toBe(!folding.ignoreTrailingSlash)
    expect((await app.route('//health')) === undefined).toBe(!folding.ignoreDuplicateSlashes)
    expect((await app.route('/health;x')) === undefined).toBe(!folding.useSemicolonDelimiter)
    await app.close()
  })
})

describe('over a socket', () => {
  it.each([
    ['http://health/v1/secrets/7', '/v1/secrets/:id'],
    ['HTTP://health/v1/%73ecrets/7?x=/health', '/v1/secrets/:id'],
    ['*v1/secrets/7', '/v1/secrets/:id'],
    ['/v1/secrets/7#/health', '/v1/secrets/:id'],
  ])('%s reaches %s with the canonical path of that route', async (url, route) => {
    const app = Fastify()
    const seen: string[] = []
    app.get('/v1/secrets/:id', (request, reply) => {
      seen.push(request.routeOptions.url ?? '', canonicalPath(request.raw.url ?? '', routerFolding(routerConfig(app))))
      return reply.header('connection', 'close').send('')
    })
    const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
    const socket = connect(Number(port), '127.0.0.1')
    socket.end(`GET ${url} HTTP/1.1\r\nHost: h\r\n\r\n`)
    for await (const _ of socket) {
      // Read to the end.
    }
    await app.close()
    expect(seen).toEqual([route, '/v1/secrets/7'])
  })
})
