import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ArchiveNames } from '../../../src/sinks/file/names.js'

const names = new ArchiveNames('/var/log/audit.log')
const time = fc.integer({ min: 0, max: Date.parse('9999-12-31T23:59:59.999Z') })
const number = fc.nat({ max: 999_999_999 })
const base = fc.stringMatching(/^[a-z0-9._{}()[\]+*?^$ -]{1,20}$/).filter((name) => !/^\.+$/.test(name))

describe('the names of archives', () => {
  it.each([
    ['/d/audit.log', 0, 'audit-2026-03-24T17-09-35.704Z.log'],
    ['/d/audit.log', 12, 'audit-2026-03-24T17-09-35.704Z-12.log'],
    ['/d/audit', 0, 'audit-2026-03-24T17-09-35.704Z'],
    ['/d/audit', 1, 'audit-2026-03-24T17-09-35.704Z-1'],
    ['/d/.audit', 0, '.audit-2026-03-24T17-09-35.704Z'],
    ['/d/audit.json.log', 0, 'audit.json-2026-03-24T17-09-35.704Z.log'],
  ])('of %s, number %i, is %s', (path, count, expected) => {
    expect(new ArchiveNames(path).name(Date.parse('2026-03-24T17:09:35.704Z'), count)).toBe(expected)
  })

  it('are read back as they were written, for any file name', () => {
    fc.assert(
      fc.property(base, time, number, (file, at, count) => {
        const some = new ArchiveNames(`/var/log/${file}`)
        const name = some.name(at, count)
        expect(some.parse(name)).toEqual({ name, time: at, number: count })
      }),
    )
  })

  it('are sorted by time, then number, whatever order the directory has', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(time, fc.nat({ max: 30 })), { maxLength: 50 }), (pairs) => {
        const sorted = names.among(pairs.map(([at, count]) => names.name(at, count)))
        for (const [index, archive] of sorted.entries()) {
          const before = sorted[index - 1]
          if (before === undefined) continue
          expect(before.time < archive.time || (before.time === archive.time && before.number <= archive.number)).toBe(
            true,
          )
        }
        expect(sorted).toHaveLength(pairs.length)
      }),
    )
  })

  it('are recognised only to the letter: parse accepts nothing that name() does not give', () => {
    const mutated = fc
      .tuple(time, number, fc.nat(), fc.constantFrom('', ' ', '0', '1', '-', 'Z', 'x', '\n', '.log'))
      .map(([at, count, where, text]) => {
        const name = names.name(at, count)
        const cut = where % (name.length + 1)
        return name.slice(0, cut) + text + name.slice(cut + (where % 2))
      })
    fc.assert(
      fc.property(fc.oneof(mutated, fc.string()), (name) => {
        const archive = names.parse(name)
        if (archive !== undefined) expect(names.name(archive.time, archive.number)).toBe(name)
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    'audit.log',
    'audit.log.lock',
    'audit-2026-03-24T17-09-35.704Z.log.hold',
    'audit-2026-03-24T17-09-35.704Z.log.gz',
    'audit-2026-03-24T17-09-35.704Z-0.log',
    'audit-2026-03-24T17-09-35.704Z-01.log',
    'audit-2026-02-30T17-09-35.704Z.log',
    'audit-2026-03-24T24-00-00.000Z.log',
    'audit-2026-03-24T17-09-60.000Z.log',
    'audit-2026-03-24T17-09-35Z.log',
    'audit-2026-03-24.log',
    'audit-1-2026-03-24T17-09-35.704Z.log',
    'my-audit-2026-03-24T17-09-35.704Z.log',
    'audit-important.log',
  ])('are not: %s', (name) => {
    expect(names.parse(name)).toBeUndefined()
  })
})
