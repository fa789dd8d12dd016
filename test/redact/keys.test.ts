import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as lists from '../../src/redact/keys.js'
import { isSecretKey, normalKey, OMITTABLE } from '../../src/redact/redactor.js'
import { read } from '../support/markdown.js'
import { redactorOf } from '../support/secrets.js'

const NAMED = {
  2: [
    ...[
      'password',
      'passwd',
      'pwd',
      'private_key',
      'privateKey',
      'otp',
      'pin',
      'cvv',
      'cvc',
      'newPassword',
      'old-password',
    ],
    ...['password_confirmation', 'hashedPassword', 'passwordHash', 'db_passwd', 'SSH_PRIVATE_KEY', 'user[password]'],
  ],
  1: [
    ...[
      'secret',
      'token',
      'access_token',
      'refreshToken',
      'id_token',
      'api_key',
      'X-API-Key',
      'authorization',
      'cookie',
    ],
    ...['Set-Cookie', 'client_secret', 'credential', 'credentials', 'kubeconfig', 'session', 'sessionId', 'cardNumber'],
    ...['credit_card_number', 'ssn', 'aws_secret_access_key', 'AWSAccessKeyId', 'X-Amz-Signature', 'X-Amz-Credential'],
    ...['X-Amz-Security-Token', 'X-Goog-Signature', 'X-Goog-Credential', 'GoogleAccessId', 'Signature', 'sig'],
    ...['Proxy-Authorization', 'x-csrf-token', 'connect.sid', 'JSESSIONID', 'auth.token', 'webhookSecret', 'x+api+key'],
  ],
} as const

describe('the built-in names', () => {
  it('are secret, and those of passwords, private keys, cvv, pin and otp most', () => {
    const redactor = redactorOf()
    expect(NAMED[2].filter((key) => redactor.secrecyOf(key) !== 2)).toEqual([])
    expect(NAMED[1].filter((key) => redactor.secrecyOf(key) !== 1)).toEqual([])
  })

  it.each([
    ...['author', 'authors', 'tokens', 'tokens_used', 'maxTokens', 'token_type', 'nextPageToken', 'passwords_count'],
    ...['password_updated_at', 'pinned', 'shipping', 'secretary', 'sidebar', 'sessions', 'monkey', 'key', 'id', 'code'],
    ...['signatures', 'passenger', 'compass', 'opinion', 'cookie_consent', 'page', ''],
  ])('are not %s', (key) => {
    expect(isSecretKey(key)).toBe(false)
  })

  it('are not looked for in a path of more parts than anybody writes, whose value is masked', () => {
    const redactor = redactorOf({ mode: 'hmac', secret: Buffer.alloc(32) })
    const path = (parts: number) => Array.from({ length: parts }, () => 'a').join('.')
    expect([path(32), path(33), `a[${path(100_000)}]`].map((key) => redactor.secrecyOf(key))).toEqual([0, 2, 2])
    expect([path(32), path(33)].map(isSecretKey)).toEqual([false, true])
    expect(redactor.secrecyOf(`${path(31)}.pin`)).toBe(2)
  })

  it('are in their normal form', () => {
    for (const names of Object.values(lists)) {
      if (Array.isArray(names)) expect(names.map((name: string) => normalKey(name))).toEqual(names)
    }
  })
})

describe('the names of the options', () => {
  it('are found in any disguise, as the built-in ones are', () => {
    const redactor = redactorOf({ keys: ['Tax-Id', 'user.iban', 'geheim%20nis'] })
    const keys = ['taxid', 'TAX_ID', 'tax%5Fid', 'tax%255Fid', 'a[tax_id][b]', 'x.taxId', 'USER.IBAN', 'geheimnis']
    expect(keys.map((key) => redactor.secrecyOf(key))).toEqual(keys.map(() => 1))
    expect(['taxidx', 'xtaxid', 'iban', 'user'].filter((key) => redactor.secrecyOf(key) > 0)).toEqual([])
  })

  it('do not make less secret what is built in', () => {
    expect(redactorOf({ keys: ['password'] }).secrecyOf('password')).toBe(2)
  })
})

describe('the names that a schema marks', () => {
  it('are secret where they are marked alone', () => {
    const redactor = redactorOf()
    const marks = new Set([normalKey('Tax-Id')])
    expect(['taxid', 'TAX_ID', 'a[tax_id]', 'x.taxId'].map((key) => redactor.secrecyOf(key, marks))).toEqual([
      1, 1, 1, 1,
    ])
    expect(redactor.secrecyOf('taxid')).toBe(0)
    expect(redactor.secrecyOf('password', marks)).toBe(2)
  })
})

describe('what is known of a key', () => {
  it('stays right, however many keys there are', () => {
    const redactor = redactorOf({ keys: ['mine'] })
    for (let index = 0; index < 10_000; index++) {
      expect(redactor.secrecyOf(`key${index}`)).toBe(0)
      expect(redactor.secrecyOf(`key${index}_token`)).toBe(1)
    }
    expect(['mine', 'password', 'page'].map((key) => redactor.secrecyOf(key))).toEqual([1, 2, 0])
  })

  it('is the same the second time', () => {
    const redactor = redactorOf()
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (key) => {
        expect(redactor.secrecyOf(key)).toBe(redactor.secrecyOf(key))
        expect(redactor.secrecyOf(key) > 0).toBe(isSecretKey(key))
      }),
    )
  })
})

describe('docs/redaction.md', () => {
  /** The names in a row of the table of built-in names. */
  const row = (title: string): string[] => {
    const line = read('docs/redaction.md')
      .split('\n')
      .find((text) => text.startsWith(`| ${title} |`))
    return [...(line ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
  }

  it.each([
    ['masked in either mode, by its name', lists.MASKED_NAMES],
    ['masked in either mode, by its ending', lists.MASKED_ENDINGS],
    ['masked or hashed, by its name', lists.SECRET_NAMES],
    ['masked or hashed, by its ending', lists.SECRET_ENDINGS],
    ['not secret, whatever its ending', lists.PUBLIC_NAMES],
  ])('has every built-in name that is %s, and no other', (title, names) => {
    expect(row(title)).toEqual(names)
  })

  it('has every part that can be left out, and no other', () => {
    const [section = ''] = read('docs/redaction.md').split('The\nwhole list is:').at(-1)?.split('\n## ') ?? []
    expect([...section.matchAll(/`([^`]+)`/g)].map(([, path]) => path)).toEqual([...OMITTABLE])
  })
})
