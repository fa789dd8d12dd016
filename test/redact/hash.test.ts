import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChangeReport } from '../../src/redact/change-report.js'
import { auditHash } from '../../src/redact/hash.js'
import { REDACTED, Redactor } from '../../src/redact/redactor.js'
import { CARDS, HASH_SECRET, hashingRedactor, redactUrl, redactValue, TOKEN } from '../support/secrets.js'

const hashOf = (value: string): string => auditHash(value, { secret: HASH_SECRET, keyId: 'k1' })

describe('auditHash', () => {
  it('is HMAC-SHA256 of the text in UTF-8, with the name of its key', () => {
    const hex = createHmac('sha256', HASH_SECRET).update(Buffer.from('grüße')).digest('hex')
    expect(hashOf('grüße')).toBe(`hmac-sha256:k1:${hex}`)
    expect(auditHash('x', { secret: HASH_SECRET.toString() })).toBe(auditHash('x', { secret: HASH_SECRET, keyId: '1' }))
  })

  it('refuses a secret that could be guessed, and does not show it', () => {
    const short = 'x'.repeat(31)
    expect(() => auditHash('v', { secret: short })).toThrow(
      expect.objectContaining({ code: 'FST_AUDIT_INVALID_OPTIONS' }),
    )
    expect(() => auditHash('v', { secret: short })).toThrow(/secret is too short.*write at least 32/)
    expect(() => auditHash('v', { secret: short })).not.toThrow(short)
    expect(() => auditHash('v', { secret: 'é'.repeat(16) })).not.toThrow()
  })

  it.each(['', 'a b', 'a:b', 'x'.repeat(33), 'é'])('refuses %j as the name of a key', (keyId) => {
    expect(() => auditHash('v', { secret: HASH_SECRET, keyId })).toThrow(/keyId .*write 1 to 32 letters/)
  })
})

describe('in mode hmac', () => {
  const redactor = hashingRedactor()

  it('equal values are equal wherever they stood', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zé]([a-z é+/=%"\\]{0,20}[a-zé])?$/), (value) => {
        const hashed = hashOf(value)
        expect(redactUrl(`/x?token=${encodeURIComponent(value)}&a=b`, undefined, redactor).text).toBe(
          `/x?token=${hashed}&a=b`,
        )
        expect(
          redactUrl(`/x?token=${encodeURIComponent(value).replaceAll('%20', '+')}`, undefined, redactor).text,
        ).toBe(`/x?token=${hashed}`)
        expect(redactUrl(`/r/${encodeURIComponent(value)}`, '/r/:token', redactor).text).toBe(`/r/${hashed}`)
        expect(redactValue(JSON.stringify({ api_key: value }), redactor).text).toBe(`{"api_key":"${hashed}"}`)
        expect(redactor.replacement(value, 1)).toBe(hashed)
      }),
    )
  })

  it('a value is hashed that is known by its form', () => {
    expect(redactValue(`Bearer s3cr3t`, redactor).text).toBe(`Bearer ${hashOf('s3cr3t')}`)
    expect(redactValue(TOKEN, redactor).text).toBe(hashOf(TOKEN))
    expect(redactValue(`card ${CARDS[0]}`, redactor).text).toBe(`card ${hashOf(CARDS[0] ?? '')}`)
  })

  it('numbers and booleans are hashed as JSON writes them', () => {
    expect(redactor.replacement(42, 1)).toBe(hashOf('42'))
    expect(redactor.replacement(true, 1)).toBe(hashOf('true'))
    expect(redactValue('{"token":42}', redactor).text).toBe(`{"token":"${hashOf('42')}"}`)
  })

  it.each([
    ...[
      'password',
      'newPassword',
      'passwd',
      'user_pwd',
      'passphrase',
      'private_key',
      'ssh-key',
      'cvv',
      'cvc2',
      'cardCvv',
    ],
    ...['pin', 'new_pin', 'otp', 'totpCode', 'mfa_code', 'password_confirmation'],
  ])('the value of %s is masked all the same', (key) => {
    expect(redactValue(JSON.stringify({ [key]: '1234' }), redactor).text).toBe(JSON.stringify({ [key]: REDACTED }))
    expect(redactUrl(`/x?${key}=1234`, undefined, redactor).text).toBe(`/x?${key}=${REDACTED}`)
    expect(redactUrl('/x/1234', `/x/:${key.replaceAll('-', '_')}`, redactor).text).toBe(`/x/${REDACTED}`)
  })

  it.each([
    ['-----BEGIN PRIVATE KEY-----x', REDACTED],
    ['https://ada:pw@host/', `https://${REDACTED}@host/`],
    ['Basic dXNlcjpwYXNz', `Basic ${REDACTED}`],
    ['{"authorization":"Basic dXNlcjpwYXNz"}', `{"authorization":"${REDACTED}"}`],
  ])('what holds a password or a private key by its form is masked all the same: %s', (text, redacted) => {
    expect(redactValue(text, redactor).text).toBe(redacted)
  })

  it('values other than texts are masked, and so are empty and redacted texts', () => {
    for (const value of ['', null, undefined, {}, { a: 1 }, [], ['x'], REDACTED, 10n]) {
      expect(redactor.replacement(value, 1)).toBe(REDACTED)
    }
    expect(redactValue(`{"token":"${REDACTED}"}`, redactor)).toEqual({ text: `{"token":"${REDACTED}"}`, redacted: 0 })
    expect(redactUrl(`/?token=${REDACTED}`, undefined, redactor)).toEqual({ text: `/?token=${REDACTED}`, redacted: 0 })
  })

  it('another secret and another name make other hashes', () => {
    const other = hashingRedactor({ secret: Buffer.alloc(32, 7), keyId: 'k2' })
    expect(other.replacement('x', 1)).toBe(auditHash('x', { secret: Buffer.alloc(32, 7), keyId: 'k2' }))
  })
})

describe('a redaction that fails', () => {
  const failing = new Redactor({ keys: [], mode: 'hmac', secret: HASH_SECRET, keyId: '1', omit: [] }, () => {
    throw new Error('no hash today')
  })

  it('omits the endpoint, and reports so', () => {
    const changes = new ChangeReport(failing)
    expect(failing.endpoint('/x?page=1&token=hunter2', undefined, changes)).toBe('[omitted]')
    expect(changes.omitted).toEqual({ 'request.endpoint': 'redaction failed' })
    expect(changes.redacted).toBe(0)
  })

  it('omits a text, and reports so under its path', () => {
    const changes = new ChangeReport(failing)
    expect(failing.text('token=hunter2', 'response.error', changes)).toBe('[omitted]')
    expect(changes.omitted).toEqual({ 'response.error': 'redaction failed' })
  })

  it('throws to the writer of the part that a value belongs to', () => {
    expect(() => failing.value('token=hunter2', new ChangeReport(failing))).toThrow('no hash today')
  })
})
