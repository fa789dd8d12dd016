import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CSV_HEADER, csvCell, csvRow } from '../../src/cli/csv.js'
import { printable } from '../../src/cli/terminal.js'
import { hostileText } from '../support/hostile.js'

/** The cells of one line of CSV, by RFC 4180. */
function cellsOf(line: string): string[] {
  const cells = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/g)]
  return cells.map(([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain)
}

/** Removes apostrophes from the places where a cell may have got them. */
function withoutApostrophes(text: string): string {
  return text.replace(/(^|;)'+/g, '$1')
}

const formulas = fc
  .tuple(
    fc.constantFrom('', ';', 'x;', ' ', '\t', '\n', '"', "'", '\u00a0'),
    fc.constantFrom('=', '+', '-', '@', '＝', '＋', '－', '＠'),
  )
  .map(([before, sign]) => `${before}${sign}HYPERLINK("http://x","y"),`)

describe('csvCell', () => {
  it('gives the text back, on one line, but for an apostrophe before what looks like a formula', () => {
    fc.assert(
      fc.property(fc.oneof(hostileText, formulas), hostileText, (text, other) => {
        const line = [csvCell(text), csvCell(undefined), csvCell(7), csvCell(other)].join(',')
        expect(line).not.toMatch(/[\r\n]/)
        const [first = '', none, number] = cellsOf(line)
        expect(withoutApostrophes(first)).toBe(withoutApostrophes(printable(text)))
        expect([none, number]).toEqual(['', '7'])
        expect(cellsOf(line)).toHaveLength(4)
      }),
    )
  })

  it('has no cell that a spreadsheet would run', () => {
    fc.assert(
      fc.property(fc.oneof(hostileText, formulas), (text) => {
        const [cell = ''] = cellsOf(csvCell(text))
        // Some split a line at semicolons, wherever they are.
        for (const part of cell.split(';')) expect(part.normalize('NFKC')).not.toMatch(/^\s*[=+\-@]/)
      }),
    )
    expect(csvCell('/x?a;=1+1;b')).toBe(`"/x?a;'=1+1;b"`)
    expect(csvCell('=1+1')).toBe(`"'=1+1"`)
    expect(csvCell('a=1')).toBe('"a=1"')
  })
})

describe('csvRow', () => {
  it('has as many cells as the header, whatever is known', () => {
    const count = CSV_HEADER.split(',').length
    expect(cellsOf(csvRow({ id: 'x', timestamp: 't' }))).toHaveLength(count)
    const row = csvRow({
      id: 'x',
      timestamp: 't',
      response: { status_code: 500 },
      corrected: {},
      annotations: { 'a,b': ['"', '\u0085'] },
    })
    const cells = cellsOf(row)
    expect(cells).toHaveLength(count)
    expect(cells.slice(3, 5)).toEqual(['500', 'none'])
    expect(JSON.parse(cells[CSV_HEADER.split(',').indexOf('annotations')] ?? '')).toEqual({ 'a,b': ['"', '\u0085'] })
  })
})
