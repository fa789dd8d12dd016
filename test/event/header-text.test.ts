import fc from 'fast-check'
import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { headerText } from '../../src/event/header-text.js'
import audit, { type AuditOptions, memorySink } from '../../src/index.js'
import { audited, portOf } from '../support/app.js'
import { askHttp2 } from '../support/http2.js'
import { ask } from '../support/wire.js'

const asSent = (text: string): string => Buffer.from(text).toString('latin1')

describe('the text of a header', () => {
  it('is what was sent in UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(headerText(asSent(text))).toBe(text)
      }),
    )
  })

  it('is latin1 where its bytes are not UTF-8, and what an application has set where they are no bytes', () => {
    for (const text of ['Z\u00fcrich', '\u00c3', '\u00ff\u00fe', 'caf\u00e9', '日本', '']) {
      expect(headerText(text)).toBe(text)
    }
  })
})

const NAMES = ['x-city', 'referer']
const CAPTURED: Omit<AuditOptions, 'sinks'> = {
  level: 'response',
  capture: { requestHeaders: NAMES, responseHeaders: ['location'] },
}
const SENT = { 'user-agent': 'Zürich/1', 'x-city': '日本', referer: 'https://a.example/ü' }

/** Node's client writes each character as a byte. */
const SENT_BY_NODE = Object.fromEntries(Object.entries(SENT).map(([name, value]) => [name, asSent(value)]))

async function redirecting(app: FastifyInstance): Promise<number> {
  app.get('/', async (_, reply) => reply.header('location', asSent('/größe')).code(302).send())
  return portOf(app)
}

describe.each([1, 2])('over HTTP/%i', (version) => {
  it('headers and the host are recorded as they were meant', async () => {
    const sink = memorySink()
    const app: FastifyInstance = version === 1 ? Fastify() : Reflect.apply(Fastify, undefined, [{ http2: true }])
    onTestFinished(() => app.close())
    await app.register(audit, { ...CAPTURED, sinks: [{ name: 'memory', sink }] })
    const port = await redirecting(app)
    await (version === 1 ? ask(port, { headers: SENT }) : askHttp2(port, { headers: SENT_BY_NODE }))
    const { request, response } = sink.events.at(-1)?.payload ?? {}
    const host = version === 1 ? 'audit.test' : `127.0.0.1:${port}`
    expect(request?.request_meta).toMatchObject({ host, user_agent: 'Zürich/1' })
    expect(request?.headers).toEqual({ 'x-city': '日本', referer: 'https://a.example/ü' })
    expect(response?.headers).toEqual({ location: '/größe' })
  })
})

describe('the host of a request', () => {
  const hostOf = async (headers: Record<string, string>, factory = {}, options = {}) => {
    const { app, sink } = await audited({ factory, options })
    await ask(await portOf(app), { headers })
    return sink.events.at(-1)?.payload
  }

  it('is the one that was asked for, or the one that a trusted proxy names', async () => {
    const headers = { host: 'shop.example:81', 'x-forwarded-host': 'a.example, b.example' }
    expect((await hostOf(headers))?.request.request_meta.host).toBe('shop.example:81')
    expect((await hostOf(headers, { trustProxy: true }))?.request.request_meta.host).toBe('b.example')
  })

  it('is bounded, redacted, and left out on demand', async () => {
    const long = await hostOf({ host: 'x'.repeat(5000) })
    expect(long?.request.request_meta.host).toBe('x'.repeat(260))
    expect(long?.truncated).toEqual([{ path: 'request.request_meta.host', bytes: 5000, kept: 260 }])
    const secret = await hostOf({ host: 'password=hunter2' })
    expect(JSON.stringify(secret)).not.toContain('hunter2')
    const omit = { redact: { omit: ['request.request_meta.host'] } }
    expect((await hostOf({}, {}, omit))?.request.request_meta).not.toHaveProperty('host')
  })
})
