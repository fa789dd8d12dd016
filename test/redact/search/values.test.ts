import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { REDACTED } from '../../../src/redact/redactor.js'
import { hostileText } from '../../support/hostile.js'
import { ENCRYPTED_TOKEN, redactValue, TOKEN } from '../../support/secrets.js'

const PEM = '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEhunter2\n-----END RSA PRIVATE KEY-----'

describe('credentials', () => {
  it.each([
    ['Bearer hunter', `Bearer ${REDACTED}`],
    ['bearer  s3cr3t.x/y+z==', `bearer  ${REDACTED}`],
    ['BEARER\ts3cr3t', `BEARER\t${REDACTED}`],
    ['sent "Bearer s3cr3t" and left', `sent "Bearer ${REDACTED}" and left`],
    ['Basic dXNlcjpwYXNz', `Basic ${REDACTED}`],
    ['tried basic dXNlcjpwYXNzd29yZA==, refused', `tried basic ${REDACTED}, refused`],
    ['Basic+dXNlcjpwYXNz', `Basic+${REDACTED}`],
  ])('are left out of %j, and their scheme is not', (text, redacted) => {
    expect(redactValue(text)).toEqual({ text: redacted, redacted: 1 })
  })

  it.each([
    'Basic Plan',
    'basic income',
    'Basic 2024',
    'the bearer of bad news',
    'a self-basic approach',
    'Bearer',
    'bearer-token auth (see docs)',
  ])('are not what prose has after the same words: %j', (text) => {
    expect(redactValue(text)).toEqual({ text, redacted: 0 })
  })
})

describe('a JSON Web Token', () => {
  it.each([
    [TOKEN, REDACTED],
    [ENCRYPTED_TOKEN, REDACTED],
    [`got ${TOKEN}, then ${TOKEN}.`, `got ${REDACTED}, then ${REDACTED}.`],
    [`jwt_${TOKEN}`, `jwt_${REDACTED}`],
    [`line\\n${TOKEN}`, `line\\n${REDACTED}`],
    [`eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0. end`, `${REDACTED} end`],
  ])('is left out of %j', (text, redacted) => {
    expect(redactValue(text).text).toBe(redacted)
  })

  it.each(['heyJude.1.2', 'eyJhbGciOiJub25lIn0', 'a.b.c', 'eyJ'])('is not %j', (text) => {
    expect(redactValue(text)).toEqual({ text, redacted: 0 })
  })
})

describe('a private key', () => {
  it.each([
    [`before ${PEM} after`, `before ${REDACTED} after`],
    [PEM.replaceAll('\n', '\\n'), REDACTED],
    [PEM.slice(0, 60), REDACTED],
    [`${PEM}\n${PEM}`, `${REDACTED}\n${REDACTED}`],
    ['-----BEGIN PRIVATE KEY-----x', REDACTED],
    ['-----BEGIN OPENSSH PRIVATE KEY-----x-----END', REDACTED],
    ['-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nx', REDACTED],
    ['-----BEGIN+EC+PRIVATE+KEY-----x', REDACTED],
  ])('is left out of %j', (text, redacted) => {
    expect(redactValue(text).text).toBe(redacted)
  })

  it('is not a certificate or a public key', () => {
    for (const kind of ['CERTIFICATE', 'PUBLIC KEY']) {
      const text = `-----BEGIN ${kind}-----\nMII\n-----END ${kind}-----`
      expect(redactValue(text)).toEqual({ text, redacted: 0 })
    }
  })
})

describe('user information of a URL', () => {
  it.each([
    ['postgres://app:hunter2@db/x', `postgres://${REDACTED}@db/x`],
    ['see https://ghp_token@github.com/x.', `see https://${REDACTED}@github.com/x.`],
    ['postgres://app:hun/ter2@db/x', `postgres://${REDACTED}@db/x`],
    ['postgres://app:hun#ter?2@db/x', `postgres://${REDACTED}@db/x`],
    ['a=redis://:hunter2@h,redis://:hunter3@h', `a=redis://${REDACTED}@h,redis://${REDACTED}@h`],
  ])('is left out of %j', (text, redacted) => {
    expect(redactValue(text).text).toBe(redacted)
  })

  it.each(['https://medium.com/@ada/post', 'http://host:8080/@me', 'ada@example.org', 'mailto:ada@example.org'])(
    'is not in %j',
    (text) => {
      expect(redactValue(text)).toEqual({ text, redacted: 0 })
    },
  )
})

describe('any text', () => {
  it('stays as it is when nothing is found in it', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const { text: clean, redacted } = redactValue(text)
        if (redacted === 0) expect(clean).toBe(text)
      }),
    )
  })

  it.each([
    'author: Ada',
    'tokens_used: 1200',
    'max_tokens=4096',
    'next_page_token=abc',
    'pinned: true, monkey: 1',
    'at 12:30, ratio 1:2',
    'https://example.org:8443/a/b?page=2&sort=name#top',
    '127.0.0.1:4646',
    '2026-03-24T17:09:35.704Z',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36',
    'd41d8cd98f00b204e9800998ecf8427e',
    '100% of it, %20 and %zz',
    '[info] {not json}',
    '{"a":[1,2,{"b":null}],"big":12345678901234567890}',
    '"quoted"',
  ])('stays as it is, such as %j', (text) => {
    expect(redactValue(text)).toEqual({ text, redacted: 0 })
  })
})
