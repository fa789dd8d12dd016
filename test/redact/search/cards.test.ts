import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { REDACTED } from '../../../src/redact/redactor.js'
import { CARD_NETWORKS } from '../../../src/redact/search/card-networks.js'
import { CARDS, redactorOf, redactValue } from '../../support/secrets.js'

/** The beginning and the length of a number of a network. */
const issued = fc.constantFrom(...CARD_NETWORKS).chain(([, prefixes, lengths]) => {
  const ranges = prefixes.split(' ').map((prefix) => prefix.split('-').map(Number))
  const prefix = fc
    .constantFrom(...ranges)
    .chain(([from = 0, to = from]) => fc.integer({ min: from, max: to }).map(String))
  return fc.record({ prefix, length: fc.constantFrom(...lengths) })
})

/** A number of a network, with or without its right check digit. */
const cards = issued.chain(({ prefix, length }) => {
  const rest = length - prefix.length - 1
  return fc
    .array(fc.integer({ min: 0, max: 9 }), { minLength: rest, maxLength: rest })
    .map((digits) => withCheckDigit([...prefix].map(Number).concat(digits)))
})

/** Groups as they are printed: fours, and those of American Express and Diners Club. */
function printed(card: string, joint: string): string {
  const groups = card.length === 14 || card.length === 15 ? /^(\d{4})(\d{6})(\d+)$/ : /(\d{4})(?=\d)/g
  return card.replace(groups, (_, ...found: string[]) =>
    groups.global ? `${found[0]}${joint}` : found.slice(0, 3).join(joint),
  )
}

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

  it('is left out if a network issues such numbers, whatever the grouping', () => {
    fc.assert(
      fc.property(cards, fc.constantFrom('', ' ', '-'), fc.nat(), (card, joint, at) => {
        const place = 1 + (at % (card.length - 1))
        const number = `${card.slice(0, place)}${joint}${card.slice(place)}`
        expect(redactValue(number).text).toBe(REDACTED)
        const wrong = withWrongDigit(card)
        expect(redactValue(wrong)).toEqual({ text: wrong, redacted: 0 })
      }),
      { numRuns: 300 },
    )
  })

  it('is left out in the groups of cards, with any single separator between them', () => {
    const joints = fc.constantFrom(
      ...[' ', '-', '+', '.', '/', '_', '\u00a0', '\u2007', '\u2009', '\u202f', '\u2011', '\u2013'],
    )
    const long = cards.filter((card) => card.length > 13)
    fc.assert(
      fc.property(long, joints, (card, joint) => {
        const number = printed(card, joint)
        expect(redactValue(`card ${number};`).text, number).toBe(`card ${REDACTED};`)
      }),
      { numRuns: 300 },
    )
  })

  it('is not a number that no network issues, though it passes the check', () => {
    const digits = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 11, maxLength: 17 })
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 7), digits, (first, payload) => {
        const text = withCheckDigit([first, ...payload])
        expect(redactValue(text)).toEqual({ text, redacted: 0 })
      }),
    )
  })

  it('is not an IMEI', () => {
    const codes = fc.constantFrom('01', '35', '86', '49', '99')
    const serial = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 12, maxLength: 12 })
    fc.assert(
      fc.property(codes, serial, (code, digits) => {
        const text = withCheckDigit([...code].map(Number).concat(digits))
        expect(redactValue(text)).toEqual({ text, redacted: 0 })
      }),
    )
  })

  it('is not in a UUID, not even in one of 100,000 or in the nil UUID', () => {
    const nil = '00000000-0000-0000-0000-000000000000'
    expect(redactValue(nil)).toEqual({ text: nil, redacted: 0 })
    // A UUID whose last two groups are the number of a card.
    const unlucky = '0f4a1b2c-9d3e-4a5b-4111-111111111111'
    for (const text of [unlucky, `id=${unlucky}`, `/jobs/${unlucky}/x`]) {
      expect(redactValue(text)).toEqual({ text, redacted: 0 })
    }
    expect(redactValue('x-4111-1111-1111-1111').text).toBe(`x-${REDACTED}`)
    const ids = Array.from({ length: 100_000 }, () => crypto.randomUUID())
    expect(ids.filter((id) => redactValue(id).redacted > 0)).toEqual([])
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
    // Separators that are not the same, and groups that no card has.
    '4111.1111/1111.1111',
    '411.111.111.111.111.1',
    '2026/11/30/4111/11/11',
    '1700000000004',
    '490154203237518',
    'DE89 3704 0044 0532 0130 00',
  ])('is not %s', (text) => {
    expect(redactValue(text)).toEqual({ text, redacted: 0 })
  })

  it('is seen among numbers', () => {
    const redactor = redactorOf()
    const found = [4111111111111111, 4111111111111111n, 378282246310005]
    expect(found.filter((number) => redactor.isCard(number))).toEqual(found)
    const others = [1700000000004, 4111111111111112, 42, -4111111111111111, 4111111111111111.5, 490154203237518]
    expect(others.filter((number) => redactor.isCard(number))).toEqual([])
    expect(redactValue('{"card":4111111111111111,"at":1700000000004}').text).toBe(
      `{"card":"${REDACTED}","at":1700000000004}`,
    )
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
