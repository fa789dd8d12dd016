import { once } from 'node:events'
import http from 'node:http'
import cors from '@fastify/cors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { auditFrameworkErrors } from '../../../src/index.js'
import { ChangeReport } from '../../../src/redact/change-report.js'
import { REDACTED } from '../../../src/redact/redactor.js'
import { audited, portOf } from '../../support/app.js'
import { routed } from '../../support/fastify.js'
import { hashingRedactor, redactorOf, redactUrl } from '../../support/secrets.js'

const TOKEN = 'hunter2xyzzy'

/** A request with its URL as it is, which `inject` would change. */
async function request(port: number, path: string, headers: Record<string, string>): Promise<void> {
  const raw = http.request({ port, path, headers, agent: false })
  const [response] = await once(raw.end(), 'response')
  await once(response.resume(), 'end')
}

describe('a secret parameter of a route', () => {
  it.each([
    ['/reset/:token', '/reset/abc', `/reset/${REDACTED}`],
    ['/reset/:token', '/reset/abc?x=1', `/reset/${REDACTED}?x=1`],
    ['/reset/:token', '/reset/abc/', `/reset/${REDACTED}/`],
    ['/reset/:token', '/reset/', '/reset/'],
    ['/reset/:token', '/%72eset/a%2Fb', `/%72eset/${REDACTED}`],
    ['/reset/:token', '/RESET/abc#x', `/RESET/${REDACTED}#x`],
    ['/reset/:token', 'http://example.org/reset/abc?x=1', `http://example.org/reset/${REDACTED}?x=1`],
    ['/reset/:token', '/reset/abc;def', `/reset/${REDACTED}`],
    ['/Caf%C3%A9/:token', '/caf%C3%A9/abc', `/${REDACTED}/${REDACTED}`],
    ['/café/:token', '/caf%C3%A9/abc', `/caf%C3%A9/${REDACTED}`],
    ['/u/:id/pin/:pin/x', '/u/1/pin/1234/x', `/u/1/pin/${REDACTED}/x`],
    ['/f/:id-:token', '/f/a-b', `/f/${REDACTED}`],
    ['/f/:token.:format', '/f/a.json', `/f/${REDACTED}`],
    ['/f/:token(^\\d+)', '/f/12', `/f/${REDACTED}`],
    ['/f/:id(^[^/]+$)/:token', '/f/1/abc', `/f/1/${REDACTED}`],
    ['/f/:token?', '/f', '/f'],
    ['/f/:token?', '/f/a', `/f/${REDACTED}`],
    ['/f/:token/*', '/f/a/b/c', `/f/${REDACTED}/b/c`],
    ['/f/v-:token', '/f/v-abc', `/f/${REDACTED}`],
    ['/f/::token/:id', '/f/:token/1', '/f/:token/1'],
    ['/f/:token::cancel', '/f/abc:cancel', `/f/${REDACTED}`],
    ['/f/:pin::x', '/f/1234', `/f/${REDACTED}`],
    ['/f/a::token/:id', '/f/a:token/1', '/f/a:token/1'],
    ['/:resetToken/x', '/abc/x', `/${REDACTED}/x`],
  ])('of %s is left out of %s', (route, url, redacted) => {
    expect(redactUrl(url, route).text).toBe(redacted)
  })

  it.each([
    ['a URL that was rewritten', '/reset/:token', '/api/reset/abc', `/${REDACTED}/${REDACTED}/${REDACTED}`],
    ['slashes that the router folds', '/reset/:token', '//reset//abc', `//${REDACTED}//${REDACTED}`],
    ['a path with more than the route', '/reset/:token', '/reset/abc/def', `/reset/${REDACTED}/${REDACTED}`],
    ['a path with less', '/a/:id/:token', '/a', '/a'],
    ['an empty parameter before it', '/a/:id/:token/b', '/a//abc/b', `/a//${REDACTED}/${REDACTED}`],
  ])('takes with it all that may be it, in %s', (_, route, url, redacted) => {
    expect(redactUrl(url, route).text).toBe(redacted)
  })

  it('shows nothing of it, and all of the others, whatever the route', () => {
    const name = fc.constantFrom('token', 'reset_token', 'pin', 'apiKey', 'id', 'name', 'page')
    const part = fc.oneof(
      fc
        .record({ pattern: fc.constantFrom('a', 'v1', 'x.y'), secret: fc.constant(false) })
        .map((fixed) => ({ ...fixed, url: fixed.pattern })),
      fc
        .record({ name, url: fc.stringMatching(/^[g-z]{8}$/) })
        .map(({ name: of, url }) => ({ pattern: `:${of}`, url, secret: redactorOf().secrecyOf(of) > 0 })),
    )
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 6 }),
        fc.constantFrom('', '?page=1', '#top'),
        (parts, rest) => {
          const route = `/${parts.map(({ pattern }) => pattern).join('/')}`
          const url = `/${parts.map((one) => one.url).join('/')}${rest}`
          const redacted = `/${parts.map((one) => (one.secret ? REDACTED : one.url)).join('/')}${rest}`
          expect(redactUrl(url, route).text).toBe(redacted)
        },
      ),
    )
  })

  it('is known by the names of the options too', () => {
    const redactor = redactorOf({ keys: ['Invite_Id'] })
    expect(redactUrl('/i/abc', '/i/:inviteId', redactor).text).toBe(`/i/${REDACTED}`)
    expect(redactUrl('/i/abc', '/i/:inviteId').text).toBe('/i/abc')
  })

  it('is left out of a request that another route takes, or none: a preflight, a wrong method', async () => {
    const { app, sink } = await audited()
    await app.register(cors)
    app.put('/reset/:token', () => 'ok')
    app.get('/reset/list', () => 'ok')
    app.get('/public/:id', () => 'ok')
    const preflight = { origin: 'https://example.org', 'access-control-request-method': 'PUT' }
    await app.inject({ method: 'OPTIONS', url: '/reset/hunter2?x=1', headers: preflight })
    await app.inject({ method: 'DELETE', url: '/reset/hunter2/' })
    await app.inject({ url: '/reset/list' })
    await app.inject({ method: 'POST', url: '/public/7' })
    const endpoints = sink.events.map(({ payload }) => payload.request.endpoint)
    expect(sink.lines.join()).not.toContain('hunter2')
    expect([...new Set(endpoints)]).toEqual([
      `/reset/${REDACTED}?x=1`,
      `/reset/${REDACTED}/`,
      '/reset/list',
      '/public/7',
    ])
  })

  it.each([
    ...[
      '/reset/T/x',
      '//reset/T',
      '/reset//T',
      '/reset%2FT',
      '/reset%2fT/x',
      '/reset%252FT',
      '/reset/%zz/T',
      '/app/reset/T',
    ],
    ...[
      '/app/v1/REset/T/',
      '/%72eset/x/T',
      '/%2572eset/x/T',
      '/reset\\T',
      '/reset%5CT',
      '/reset;T/x',
      '/reset=T/y',
      '/reset,T',
    ],
    ...[
      '/reset%3FT',
      '/reset/T/x?y=1',
      '/x/reset/a/b/c/T',
      'http://example.org/app/reset/T',
      '/reset/T%2Fx',
      '/reset%20T',
    ],
  ])('is left out of %s, which no route takes, and of all that its records say', async (near) => {
    const { app, sink } = await audited({
      factory: { frameworkErrors: auditFrameworkErrors() },
      options: { level: 'response', capture: { requestHeaders: ['referer'], responseHeaders: ['location'] } },
    })
    app.get('/reset/:token', () => 'ok')
    app.get('/public/:id', () => 'ok')
    app.setNotFoundHandler((request, reply) => {
      request.audit.annotate({ seen: `${TOKEN} in ${request.url}`, [TOKEN]: 1 })
      return reply
        .code(404)
        .header('location', `/login?from=${TOKEN}`)
        .send({ message: `no ${request.url}`, TOKEN, list: [TOKEN] })
    })
    const port = await portOf(app)
    await request(port, near.replace('T', TOKEN), {
      referer: `https://example.org/mail?t=${TOKEN}`,
      'user-agent': `a ${TOKEN}`,
    })
    expect(sink.lines.length).toBe(3)
    expect(sink.lines.join()).not.toContain(TOKEN)
    await request(port, '/public/7/x', { referer: 'https://example.org/a' })
    expect(sink.lines.at(-1)).toContain('"/public/7/x"')
  })

  it('is left out of a request without a route by every route that it may have meant', () => {
    const redactor = redactorOf()
    for (const route of ['/reset/:token', '/v1/users/:id/pin/:pin', '/invite/:token/accept', '/reset/:id/check/:otp']) {
      redactor.addRoute(route)
    }
    const clean = (url: string) => redactUrl(url, undefined, redactor).text
    expect(clean('/v1/users/7/pin/1234/x')).toBe(`/v1/users/7/pin/${REDACTED}/${REDACTED}`)
    expect(clean('/invite/abc/accept')).toBe(`/invite/${REDACTED}/accept`)
    expect(clean('/reset/abc/check/1234')).toBe(`/reset/${REDACTED}/${REDACTED}/${REDACTED}`)
    for (const url of ['/v1/users/7', '/resets/7/x', '/x/y/z?a=1', '/', '', '*']) expect(clean(url)).toBe(url)
    redactor.addRoute('/:secret')
    expect(clean('/a/b/c')).toBe(`/${REDACTED}/${REDACTED}/${REDACTED}`)
  })

  it('is found as a word when it is short, and anywhere when it is long', () => {
    const changes = new ChangeReport(redactorOf())
    const { redactor } = changes
    redactor.endpoint('/p/1234/xy/a%20b%2Bc-long-parameter?q=1234', '/p/:pin/:otp/:token', changes)
    const clean = (text: string) => redactor.value(text, changes)
    expect(clean('PIN 1234, not 12345 or x1234y, 1234')).toBe(`PIN ${REDACTED}, not 12345 or x1234y, ${REDACTED}`)
    expect(clean('xy')).toBe('xy')
    expect(clean('see a b+c-long-parameters and a%20b%2Bc-long-parameter')).toBe(`see ${REDACTED}s and ${REDACTED}`)
    expect(clean('the parameter')).toBe(`the ${REDACTED}`)
  })

  it('is hashed alike in the endpoint and in an error', () => {
    const changes = new ChangeReport(hashingRedactor())
    const { redactor } = changes
    const endpoint = redactor.endpoint('/reset/hunter2xyzzy', '/reset/:token', changes)
    expect(redactor.text('no hunter2xyzzy', 'response.error', changes)).toBe(`no ${endpoint.slice('/reset/'.length)}`)
    expect(endpoint).toContain('hmac-sha256:')
  })

  it('is searched for in linear time, whatever the path', () => {
    const redactor = redactorOf()
    for (let index = 0; index < 50; index++) redactor.addRoute(`/reset${index}/:token`)
    for (const piece of ['/', '/a', '%2F', '%252Freset', '/reset1;', 'reset1', '\\', '%', '/%zz']) {
      const changes = new ChangeReport(redactor)
      const url = `/x/reset1${piece.repeat(65_536 / piece.length)}`
      redactor.endpoint(url, undefined, changes)
      redactor.value(url.repeat(3), changes)
    }
  })

  it('is left out of errors and bodies that name the URL', async () => {
    const { app, sink } = await audited({ options: { level: 'response' } })
    app.get('/reset/:token', async (request) => {
      throw new Error(`Nobody asked for ${request.url}, ${request.url}`)
    })
    const { body } = await app.inject({ url: '/reset/hunter2?x=1' })
    expect(body).toContain('hunter2')
    const message = `Nobody asked for /reset/${REDACTED}?x=1, /reset/${REDACTED}?x=1`
    expect(sink.events.at(-1)?.payload.response).toMatchObject({ error: message, body: { message } })
    expect(sink.lines.join()).not.toContain('hunter2')
  })

  it('is left out of the records of a server, whatever its router folds', async () => {
    const { app, sink } = await audited({
      factory: routed({ ignoreDuplicateSlashes: true, ignoreTrailingSlash: true, caseSensitive: false }),
    })
    app.get('/reset/:token', () => 'ok')
    app.register(
      async (child) => {
        child.get('/:id-:secret', () => 'ok')
        child.get('/otp/:otp(^\\w+$)', () => 'ok')
        child.get('/deep/:token/*', () => 'ok')
      },
      { prefix: '/v1' },
    )
    const urls = [
      '/reset/hunter2',
      '/RESET/hunter2/',
      '//reset///hunter2',
      '/%72eset/hunter2%2Fx',
      '/v1/7-hunter2',
      '/v1/otp/hunter2',
    ]
    urls.push('/v1/deep/hunter2/a/b', '/reset/hunter2;a=b', '/reset/hunter2?a=hunter')
    for (const url of urls) {
      const { statusCode } = await app.inject({ url })
      expect(statusCode, url).toBe(200)
    }
    expect(sink.lines.length).toBe(1 + 2 * urls.length)
    expect(sink.lines.join('')).not.toContain('hunter2')
  })
})
