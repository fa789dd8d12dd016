import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cut, padded, painter, printable, printableJson, widthOf } from '../../src/cli/terminal.js'
import { hostileText } from '../support/hostile.js'

/** Whatever a terminal acts on: C0, DEL, C1 with NEL, bidirectional controls, line ends, lone surrogates. */
const DANGEROUS: ReadonlyArray<readonly [number, number]> = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0x61c, 0x61c],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0xd800, 0xdfff],
  [0xfeff, 0xfeff],
]

/** The characters of a text that are dangerous. */
function dangerous(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0).filter((code) =>
    DANGEROUS.some(([from, to]) => code >= from && code <= to),
  )
}

describe('printable', () => {
  it('leaves nothing that a terminal acts on', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        expect(dangerous(printable(text))).toEqual([])
      }),
    )
  })

  it('leaves what people read as it is', () => {
    for (const text of ['/v1/jobs?x=1', 'Zoë Müller', '漢字', '😀', 'é', 'हिन्दी']) expect(printable(text)).toBe(text)
  })

  it('spells out the characters that it removes', () => {
    expect(printable('a\u001b[2J\n\u0085\u202e\u{e0041}')).toBe('a\\u{1b}[2J\\u{a}\\u{85}\\u{202e}\\u{e0041}')
  })

  it('does not let marks pile up into other lines', () => {
    expect(printable('a\u0301\u0301\u0301')).toBe('a\u0301\u0301\\u{301}')
  })
})

describe('printableJson', () => {
  it('has nothing that a terminal acts on, and says the same', () => {
    fc.assert(
      fc.property(hostileText, hostileText, (key, text) => {
        const value = { [key]: [text] }
        const json = printableJson(value)
        expect(dangerous(json)).toEqual([])
        expect(JSON.parse(json)).toEqual(value)
      }),
    )
  })

  it('cuts what is nested too deeply to be written, and nothing else', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)
    const { id, body } = JSON.parse(printableJson({ id: 'x', body: deep }))
    expect(id).toBe('x')
    expect(JSON.stringify(body)).toContain('[nested too deeply]')
    const nested = JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`)
    expect(JSON.parse(printableJson(nested))).toEqual(nested)
  })
})

describe('cut and padded', () => {
  it('keep every text within its columns', () => {
    fc.assert(
      fc.property(hostileText.map(printable), fc.integer({ min: 1, max: 40 }), (text, columns) => {
        expect(widthOf(cut(text, columns))).toBeLessThanOrEqual(columns)
        expect(widthOf(padded(text, columns))).toBe(columns)
        expect(padded(text, columns, 'right').trimStart()).toBe(cut(text, columns).trimStart())
      }),
    )
  })

  it('count characters of two columns, and of none', () => {
    expect(widthOf('漢字😀')).toBe(6)
    expect(widthOf('e\u0301')).toBe(1)
    expect(cut('漢字漢字', 6)).toBe('漢字…')
    expect(cut('abc', 3)).toBe('abc')
  })
})

describe('painter', () => {
  it('paints on terminals alone, and never against NO_COLOR', () => {
    expect(painter(true, {})('x', 'red')).toBe('\u001b[31mx\u001b[0m')
    expect(painter(true, { NO_COLOR: '' })('x', 'red')).toBe('\u001b[31mx\u001b[0m')
    expect(painter(true, { NO_COLOR: '1' })('x', 'red')).toBe('x')
    expect(painter(true, { TERM: 'dumb' })('x', 'red')).toBe('x')
    expect(painter(false, {})('x', 'red')).toBe('x')
  })
})
