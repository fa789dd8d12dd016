import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as vocabulary from '../../src/redact/key-words.js'
import { isSecretKey, normalKey, OMITTABLE } from '../../src/redact/redactor.js'
import { harmlessKeys, secretKeys } from '../support/keys.js'
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
    ...['Set-Cookie', 'client_secret', 'credential', 'credentials', 'kubeconfig', 'sessionId', 'cardNumber'],
    ...['credit_card_number', 'ssn', 'aws_secret_access_key', 'X-Amz-Signature', 'X-Amz-Credential'],
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
    ...['author', 'authors', 'tokens_used', 'maxTokens', 'token_type', 'nextPageToken', 'passwords_count'],
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

  it('are told apart by their words, however these are joined', () => {
    const joints = [
      (words: string[]) => words.join('_'),
      (words: string[]) => words.join('-').toUpperCase(),
      (words: string[]) => words.map((word, index) => (index === 0 ? word : capital(word))).join(''),
      (words: string[]) => words.map(capital).join(''),
      (words: string[]) => words.join(' '),
    ]
    const named = [...vocabulary.MASKED_WORDS, ...vocabulary.SECRET_WORDS, ...vocabulary.MASKED_OWNED]
    const secret = named.filter((name) => !/\d$/.test(name))
    const before = fc.constantFrom([], ['new'], ['user'], ['db', '2'])
    const after = fc.constantFrom([], ['1'], ['value'], ['hash'])
    fc.assert(
      fc.property(before, fc.constantFrom(...secret), after, fc.constantFrom(...joints), (owner, name, rest, join) => {
        expect(isSecretKey(join([...owner, ...name.split(' '), ...rest])), name).toBe(true)
      }),
      { numRuns: 1000 },
    )
    const asked = fc.constantFrom('password', 'token', 'secret', 'credentials', 'otp', 'pin')
    fc.assert(
      fc.property(
        fc.constantFrom(...vocabulary.QUESTIONS),
        asked,
        fc.constantFrom(...joints),
        (question, name, join) => {
          expect(isSecretKey(join([question, name])), `${question} ${name}`).toBe(false)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('are found with accents and in full-width letters', () => {
    expect(['contraseña', 'CONTRASEÑA', 'ｐａｓｓｗｏｒｄ', 'new_pässwörd'].filter((key) => !isSecretKey(key))).toEqual(
      [],
    )
  })

  it('are found at the end of a key, however long it is', () => {
    const long = 'a_'.repeat(50_000)
    expect([`${long}password`, `${long}db_pass`, `${'new_'.repeat(50_000)}pin`, long].map(isSecretKey)).toEqual([
      ...[true, false, false, false],
    ])
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

describe('the secrecy of a key', () => {
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
  const page = read('docs/redaction.md')

  /** The words in a row of one of the tables. */
  const row = (title: string): string[] => {
    const line = page.split('\n').find((text) => text.startsWith(`| ${title} |`))
    return [...(line ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
  }

  it.each([
    ['at the end of any compound; masked', vocabulary.MASKED_WORDS],
    ['at the end of any compound', vocabulary.SECRET_WORDS],
    ['alone, or after an owner; masked', vocabulary.MASKED_OWNED],
    ['alone, or after an owner', vocabulary.SECRET_OWNED],
    ['alone', vocabulary.SECRET_ALONE],
    ['before `key`', ['key', ...vocabulary.SECRET_KEYS]],
    ['before `code`; masked', ['code', ...vocabulary.SECRET_CODES]],
    ['before `url`, `uri`, `dsn`', [...vocabulary.ADDRESS_WORDS, ...vocabulary.SECRET_ADDRESSES]],
    ['not secret', [...vocabulary.PUBLIC_COMPOUNDS, ...vocabulary.PUBLIC_WORDS]],
    ['questions and numbers', vocabulary.QUESTIONS],
    ['owners', vocabulary.OWNERS],
    ['after a secret word', vocabulary.TRAILING_WORDS],
  ])('has every word that is %s, and no other', (title, words) => {
    expect(row(title)).toEqual(words)
  })

  it('says how many keys of the published lists are told right', () => {
    const found = secretKeys.filter(isSecretKey).length
    const kept = harmlessKeys.filter((key) => !isSecretKey(key)).length
    expect([new Set(secretKeys).size, new Set(harmlessKeys).size]).toEqual([secretKeys.length, harmlessKeys.length])
    expect(page).toContain(`| ${secretKeys.length} secret keys | ${found} found (${rate(found, secretKeys)}) |`)
    expect(page).toContain(`| ${harmlessKeys.length} harmless keys | ${kept} kept (${rate(kept, harmlessKeys)}) |`)
    const wrong = secretKeys.filter((key) => !isSecretKey(key)).concat(harmlessKeys.filter(isSecretKey))
    expect(row('told wrong')).toEqual(wrong)
  })

  it('has every part that can be left out, and no other', () => {
    const [section = ''] = read('docs/redaction.md').split('The\nwhole list is:').at(-1)?.split('\n## ') ?? []
    expect([...section.matchAll(/`([^`]+)`/g)].map(([, path]) => path)).toEqual([...OMITTABLE])
  })
})

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}

function rate(right: number, all: readonly string[]): string {
  return `${((100 * right) / all.length).toFixed(1)} %`
}
