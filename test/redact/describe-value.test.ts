import { randomBytes } from 'node:crypto'
import Fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import audit, { auditHash, memorySink } from '../../src/index.js'
import { describeText, describeValue } from '../../src/redact/describe-value.js'
import { CARDS, TOKEN } from '../support/secrets.js'

/** Secrets as people make them. */
const SECRETS = [
  randomBytes(32).toString('hex'),
  randomBytes(32).toString('base64'),
  `Aa1${randomBytes(32).toString('base64url')}`,
  'correct horse battery staple, and one more word',
]
/** Secrets, and one that nobody can tell from other texts. */
const PASSWORDS = [...SECRETS, 'hunter2xyzzy']

/** Mistaken options with a secret in them, under a key or at a place that says so. */
const MISTAKES: Record<string, (secret: string) => unknown> = {
  'a secret instead of the options of a seal': (seal) => ({ sinks: [{ type: 'file', seal }] }),
  'a seal at the top': (seal) => ({ seal }),
  'a seal in another spelling': (sealed) => ({ sinks: [{ type: 'file', sealed }] }),
  'a list of secrets as a seal': (secret) => ({ sinks: [{ type: 'file', seal: [secret] }] }),
  'a misspelt secret of a seal': (secrt) => ({ sinks: [{ type: 'file', seal: { secrt } }] }),
  'an unknown key of a seal': (value) => ({ sinks: [{ type: 'file', seal: { key: value, hmac: { value } } }] }),
  'a list as the secret of a seal': (secret) => ({ sinks: [{ type: 'file', seal: { secret: [secret] } }] }),
  'a secret as the key of a seal': (privateKey) => ({ sinks: [{ type: 'file', seal: { privateKey } }] }),
  'a secret as the name of a key': (keyId) => ({
    sinks: [{ type: 'file', seal: { secret: 'x', keyId: `${keyId} ${keyId}` } }],
  }),
  'a secret instead of the options of redaction': (redact) => ({ redact }),
  'redact.key': (key) => ({ redact: { key } }),
  'redact.secret as an object': (value) => ({ redact: { mode: 'hmac', secret: { value } } }),
  'redact.salt': (salt) => ({ redact: { mode: 'hmac', salt } }),
  'redact.mode': (mode) => ({ redact: { mode: `hmac ${mode} ${mode}` } }),
  'redaction in another spelling': (key) => ({ redaction: { key } }),
  'a sink that is a configuration': (password) => ({
    sinks: [{ name: 'a', sink: { connectionString: password, host: 'x' } }],
  }),
  'a sink with options of its own': (value) => ({ sinks: [{ name: 'a', sink: { value, options: { dsn: value } } }] }),
  'a sink that is a secret': (sink) => ({ sinks: [{ name: 'a', sink }] }),
  'the token of a sink': (token) => ({ sinks: [{ type: 'file', token }] }),
  'a connection string at the top': (connectionString) => ({ connectionString }),
  'a connection, nested': (password) => ({ connection: { user: 'ada', auth: { password } } }),
  'an environment': (secret) => ({ env: { DB_PASS: secret, AUDIT_SECRET: secret } }),
  'an environment as a list': (value) => ({ env: [{ name: 'DB_PASSWORD', value }] }),
  flags: (secret) => ({ args: ['--password', secret] }),
  pairs: (secret) => ({ headers: [['authorization', secret]] }),
  'a URL with a password as a path': (secret) => ({
    sinks: [{ type: 'file', path: `s3://ada:${encodeURIComponent(secret)}@bucket/` }],
  }),
  'a URL with a password as a sink': (secret) => ({ sinks: `redis://:${encodeURIComponent(secret)}@host` }),
  'a URL with a password in a list': (secret) => ({ sinks: [`postgres://ada:${encodeURIComponent(secret)}@host/db`] }),
  'a URL with a token': (secret) => ({ dataDir: { url: `https://x/?token=${encodeURIComponent(secret)}` } }),
  'a header': (secret) => ({ auditIdHeader: `Authorization: Bearer ${secret}` }),
  'a token of a known form': () => ({
    level: TOKEN,
    namespace: `Bearer ${TOKEN}`,
    dataDir: [CARDS[3], 4111111111111111],
  }),
}

/** Places without a clue, in which a machine-made secret is recognised by its form. */
const ANYWHERE: Record<string, (secret: string) => unknown> = {
  'the options themselves': (secret) => secret,
  'a level': (level) => ({ level }),
  'an unknown option': (other) => ({ other: { nested: [other] } }),
  'an identity': (identity) => ({ identity }),
  'a key': (key) => ({ [key]: true, redact: { [key]: 1 }, other: { [key]: 1 } }),
  'a format': (format) => ({ sinks: [{ name: 'a', sink: memorySink(), format }] }),
}

async function messageOf(options: unknown): Promise<string> {
  const app = Fastify()
  const error: unknown = await Promise.resolve(
    app.register(audit, Object(options) === options ? Object(options) : options),
  ).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toMatchObject({ code: 'FST_AUDIT_INVALID_OPTIONS' })
  return `${JSON.stringify(error)} ${String(error)}`
}

/** Tells whether a message shows a part of a secret, even if it is cut. */
const shows = (message: string, secret: string) => message.includes(secret.slice(0, 8))

describe('the message about mistaken options', () => {
  it.each(Object.keys(MISTAKES))('shows no secret: %s', async (name) => {
    for (const secret of PASSWORDS) {
      const message = await messageOf(MISTAKES[name]?.(secret))
      expect(shows(message, secret), message).toBe(false)
      expect(message).not.toContain(TOKEN.slice(0, 20))
      expect(message).not.toContain('4111111111111111')
    }
  })

  it.each(Object.keys(ANYWHERE))('shows no secret of a machine: %s', async (name) => {
    for (const secret of SECRETS.slice(0, 3)) {
      const message = await messageOf(ANYWHERE[name]?.(secret))
      expect(shows(message, secret), message).toBe(false)
    }
  })

  it('shows harmless values', async () => {
    const message = await messageOf({
      level: 'meta',
      redact: { mode: 'hmca', keys: ['*iban*'], omit: ['auth'] },
      sinks: [{ type: 'file', path: './logs/', seal: { secret: 'x'.repeat(32), checkpointInterval: '10' } }],
    })
    for (const shown of ['meta', 'hmca', '*iban*', './logs/', '10']) expect(message).toContain(`"${shown}`)
  })
})

describe('a value in a message', () => {
  it('is described by its type if it is secret', () => {
    const redact = (value: unknown) => describeValue(value, ['redact', 'x'])
    expect(['a', '', 1, 1n, true, null, undefined, [], ['a'], {}, () => 1, Buffer.from('a')].map(redact)).toEqual([
      ...[
        '(hidden string)',
        '""',
        '(hidden number)',
        '(hidden number)',
        'true',
        'null',
        'undefined',
        '[]',
        '(hidden list)',
      ],
      ...['{}', 'a function', 'an instance of Buffer'],
    ])
    expect(redact({ a: 1, b: { c: 'x' }, d: [1] })).toBe('{ a: (hidden number), b: (hidden object), d: (hidden list) }')
    expect(describeText('path "postgres://ada:x@db" is wrong')).not.toContain('ada')
  })

  it('is not the name of a key that auditHash refuses', () => {
    const keyId = `${randomBytes(32).toString('base64')} x`
    expect(() => auditHash('a', { secret: 'x'.repeat(32), keyId })).toThrow(/keyId is not a key's name/)
    expect(() => auditHash('a', { secret: 'x'.repeat(32), keyId })).not.toThrow(keyId.slice(0, 8))
  })
})
