import type { FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'
import { type AuditOptions, memorySink } from '../../src/index.js'
import { audited } from '../support/app.js'
import { CARDS, HASH_SECRET, TOKEN } from '../support/secrets.js'

const NEEDLE = 'hunter2xyzzy'

/** A secret with a clue to it, and the part that must not be in a line. */
const SECRETS: ReadonlyArray<readonly [secret: unknown, needle: string]> = [
  [{ password: NEEDLE }, NEEDLE],
  [{ user: [{ 'x-api-key': { value: NEEDLE } }] }, NEEDLE],
  [JSON.stringify({ a: JSON.stringify({ b: JSON.stringify({ accessToken: NEEDLE }) }) }), NEEDLE],
  [`https://example.org/cb?next=${encodeURIComponent(`https://example.org/?token=${NEEDLE}`)}`, NEEDLE],
  [`postgres://ada:${NEEDLE}@db/x`, NEEDLE],
  [[{ op: 'replace', path: '/password', value: NEEDLE }], NEEDLE],
  [{ field: 'apiKey', from: NEEDLE, to: `${NEEDLE}2` }, NEEDLE],
  [`Bearer ${NEEDLE}`, NEEDLE],
  [`-----BEGIN PRIVATE KEY-----\n${NEEDLE}`, NEEDLE],
  [TOKEN, TOKEN.slice(0, 30)],
  [CARDS[3], '4111111111111111'],
  [4111111111111111, '4111111111111111'],
]

async function serverWith(
  options: Omit<AuditOptions, 'sinks'>,
): Promise<{ app: FastifyInstance; lines: () => string }> {
  const { app, sink } = await audited({
    options: {
      level: 'response',
      capture: { requestHeaders: ['x-note', 'cookie'], responseHeaders: ['x-note'] },
      ...options,
    },
    sink: memorySink(),
  })
  app.post('/echo', async (request, reply) => {
    request.audit.annotate({ note: request.body })
    return reply.header('x-note', request.headers['x-note']).send(request.body)
  })
  app.post('/fail', async (request) => {
    throw new Error(`refused: ${JSON.stringify(request.body)}`)
  })
  return { app, lines: () => sink.lines.join('\n') }
}

describe.each([
  ['mask', {}],
  ['hmac', { redact: { mode: 'hmac', secret: HASH_SECRET } }],
] as const)('the lines of a server, in mode %s', (_, options) => {
  it.each(SECRETS)('hold nothing of %j, wherever it was sent', async (secret, needle) => {
    const { app, lines } = await serverWith(options)
    const text = typeof secret === 'string' ? secret : JSON.stringify(secret)
    const header = text.replace(/\s/g, ' ')
    for (const url of ['/echo', '/fail']) {
      await app.inject({
        method: 'POST',
        url: `${url}?q=${encodeURIComponent(text)}`,
        headers: { 'x-note': header, cookie: `a=${NEEDLE}`, 'user-agent': header },
        payload: { secret: 1, note: secret, list: [[secret]], kept: 'kept text' },
      })
    }
    expect(lines()).not.toContain(needle)
    expect(lines().split('kept text').length).toBeGreaterThan(4)
  })
})
