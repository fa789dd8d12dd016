import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { REDACTED } from '../../../src/redact/redactor.js'
import { hostileText } from '../../support/hostile.js'
import { CARDS, ENCRYPTED_TOKEN, redactorOf, redactValue, TOKEN } from '../../support/secrets.js'

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

describe('a card number', () => {
  it.each(['visa4111111111111111', 'Card4111 1111 1111 1111', '4111111111111111exp', 'a1_visa4111111111111111'])(
    'is left out next to letters that no hash has: %s',
    (text) => {
      expect(redactValue(text).text).toBe(text.replace(/4[1 ]{12,}/, REDACTED))
    },
  )

  it.each(CARDS)('is left out with its digits in a row or in groups: %s', (card) => {
    for (const joint of ['', ' ', '-']) {
      const number = card.replace(/(\d{4})(?=\d)/g, `$1${joint}`)
      expect(redactValue(number)).toEqual({ text: REDACTED, redacted: 1 })
      expect(redactValue(`paid with ${number}, thanks`).text).toBe(`paid with ${REDACTED}, thanks`)
      expect(redactValue(`in 2024 ${number}`).text).toBe(`in 2024 ${REDACTED}`)
    }
  })

  it('is left out whatever its digits and its grouping', () => {
    const digits = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 12, maxLength: 18 })
    fc.assert(
      fc.property(digits, fc.constantFrom('', ' ', '-'), fc.integer({ min: 1, max: 18 }), (payload, joint, place) => {
        const card = withCheckDigit(payload)
        const number = `${card.slice(0, place)}${joint}${card.slice(place)}`.replace(/[ -]$/, '')
        expect(redactValue(number).text).toBe(REDACTED)
        const wrong = withWrongDigit(card)
        expect(redactValue(wrong)).toEqual({ text: wrong, redacted: 0 })
      }),
    )
  })

  it.each([
    '4111111111111112',
    '411111111111',
    '41111111111111111111111',
    '+49 170 1234567',
    '2026-03-24 17:09:35',
    '550e8400-e29b-41d4-a716-446655440000',
    'a4111111111111111',
    '0.4111111111111111',
    '4111  1111  1111  1111',
    '1 2 3 4 5 6 7 8 9 10',
    // A card's digits in pairs, after another pair: amounts.
    '20 41 11 11 11 11 11 11 11',
  ])('is not %s', (text) => {
    expect(redactValue(text)).toEqual({ text, redacted: 0 })
  })

  it('is seen among numbers, where a time in milliseconds is none', () => {
    const redactor = redactorOf()
    expect([4111111111111111, 4111111111111111n, 378282246310005].map((number) => redactor.isCard(number))).toEqual([
      true,
      true,
      true,
    ])
    // It passes Luhn's check.
    expect(
      [1700000000004, 4111111111111112, 42, -4111111111111111, 4111111111111111.5].filter((number) =>
        redactor.isCard(number),
      ),
    ).toEqual([])
    expect(redactValue('{"card":4111111111111111,"at":1700000000004}').text).toBe(
      `{"card":"${REDACTED}","at":1700000000004}`,
    )
  })
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

/** By Luhn's own description: from the right, every second digit doubled. */
function luhn(digits: readonly number[]): number {
  return digits.reduceRight((sum, digit, index) => {
    const isDoubled = (digits.length - index) % 2 === 0
    return sum + (isDoubled ? Math.floor((digit * 2) / 10) + ((digit * 2) % 10) : digit)
  }, 0)
}

function withCheckDigit(payload: readonly number[]): string {
  const check = (10 - (luhn([...payload, 0]) % 10)) % 10
  return [...payload, check].join('')
}

function withWrongDigit(card: string): string {
  return card.slice(0, -1) + ((Number(card.at(-1)) + 1) % 10)
}
