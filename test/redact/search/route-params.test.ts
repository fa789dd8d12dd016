import cors from '@fastify/cors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { REDACTED } from '../../../src/redact/redactor.js'
import { audited } from '../../support/app.js'
import { routed } from '../../support/fastify.js'
import { redactorOf, redactUrl } from '../../support/secrets.js'

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
