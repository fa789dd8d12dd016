import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_TIMER_MS, parseDuration, parseSize } from '../src/units.js'

const MILLISECONDS = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const
const BYTES = {
  B: 1,
  K: 1024,
  KiB: 1024,
  KB: 1000,
  M: 1024 ** 2,
  MiB: 1024 ** 2,
  MB: 1000 ** 2,
  G: 1024 ** 3,
  GiB: 1024 ** 3,
  GB: 1000 ** 3,
  T: 1024 ** 4,
  TiB: 1024 ** 4,
  TB: 1000 ** 4,
} as const

/** How Go prints a duration, of which it reads every one back. */
function goString(milliseconds: number): string {
  const hours = Math.floor(milliseconds / 3_600_000)
  const minutes = Math.floor(milliseconds / 60_000) % 60
  const seconds = Math.floor(milliseconds / 1000) % 60
  const fraction = String(milliseconds % 1000)
    .padStart(3, '0')
    .replace(/0+$/, '')
  return `${hours}h${minutes}m${seconds}${fraction === '' ? '' : `.${fraction}`}s`
}

function codeOf(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
}

describe('parseDuration', () => {
  it.each([
    ['1h30m', 5_400_000],
    ['36h', 129_600_000],
    ['90s', 90_000],
    ['45s', 45_000],
    ['500ms', 500],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['1.s', 1000],
    ['1h1h', 7_200_000],
    ['0', 0],
    ['0s', 0],
    ['+5s', 5000],
    ['0.1s', 100],
    ['1.0000000000000000000000000000000000001ms', 2],
    [0, 0],
    [-0, 0],
  ])('reads %j as %d ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds)
  })

  it.each(['1ns', '1us', '1µs', '1μs', '999999ns', '0.5ns'])(
    'rounds %s up to 1 ms, so that it does not mean 0',
    (text) => {
      expect(parseDuration(text)).toBe(1)
    },
  )

  it('adds up its parts', () => {
    // Five times this many hours are just within Go's 292 years.
    const part = fc.tuple(fc.nat(500_000), fc.constantFrom<keyof typeof MILLISECONDS>('h', 'm', 's', 'ms'))
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        const text = parts.map(([count, unit]) => `${count}${unit}`).join('')
        const sum = parts.reduce((total, [count, unit]) => total + count * MILLISECONDS[unit], 0)
        expect(parseDuration(text)).toBe(sum)
      }),
    )
  })

  it('reads what Go prints', () => {
    fc.assert(
      fc.property(fc.nat(9_000_000_000_000), (milliseconds) => {
        expect(parseDuration(goString(milliseconds))).toBe(milliseconds)
      }),
    )
  })

  it('ends where a Go duration ends, at 292 years', () => {
    expect(parseDuration('2562047h47m16.854775807s')).toBe(9_223_372_036_855)
    expect(() => parseDuration('2562047h47m16.854775808s')).toThrow('longer than 292 years')
  })

  it.each([
    ['-1h', "a duration cannot be negative; write a duration such as '24h'"],
    ['90', "the unit is missing; write '90s', '90m' or '90h'"],
    ['1.5', "write '1.5s'"],
    ['7d', "there is no unit for days; write '168h'"],
    ['1 day', "write '24h'"],
    [90, "a number has no unit; write '90ms' if milliseconds are meant, or '90s'"],
    [-1, 'write a duration such as'],
    [Number.NaN, 'write a duration such as'],
    [Number.POSITIVE_INFINITY, 'write a duration such as'],
    [`${'1'.repeat(100)}h`, 'write a duration such as'],
  ])('refuses %j and says what to write', (text, remedy) => {
    expect(() => parseDuration(text)).toThrow(remedy)
    expect(codeOf(() => parseDuration(text))).toBe('FST_AUDIT_INVALID_UNIT')
  })

  it.each([
    '',
    ' ',
    ' 1h',
    '1h ',
    '1 h',
    '1H',
    '1hour',
    'h',
    '.h',
    '1h30',
    '1h-30m',
    '--1h',
    '1e3s',
    '0x1s',
    '1,5h',
    '1_000s',
    '\n1h',
    '1h\n',
    '１h',
    '-0',
    '0h0',
    'Infinity',
    'null',
  ])('refuses %j', (text) => {
    expect(codeOf(() => parseDuration(text))).toBe('FST_AUDIT_INVALID_UNIT')
  })

  it('gives a whole number that is safe, or its error, whatever it is given', () => {
    const alphabet = fc.string({ unit: fc.constantFrom(...'0123456789.+-hmsnuµ '), maxLength: 20 })
    fc.assert(
      fc.property(fc.oneof(alphabet, fc.string(), fc.double()), (text) => {
        const milliseconds = codeOf(() => parseDuration(text))
        if (milliseconds === 'FST_AUDIT_INVALID_UNIT') return
        expect(milliseconds).toSatisfy((value) => Number.isSafeInteger(value) && Number(value) >= 0)
        expect(String(text)).toMatch(/^\+?(0|((\d+\.?\d*|\.\d+)(h|ms|m|s|us|µs|μs|ns))+)$/)
      }),
      { numRuns: 1000 },
    )
  })

  it('says a delay that setTimeout can wait: one more fires at once', () => {
    expect(parseDuration('596h')).toBeLessThan(MAX_TIMER_MS)
    expect(parseDuration('597h')).toBeGreaterThan(MAX_TIMER_MS)
  })
})

describe('parseSize', () => {
  it.each([
    [0, 0],
    [-0, 0],
    [4096, 4096],
    ['0', 0],
    ['4096', 4096],
    ['512B', 512],
    ['64K', 65_536],
    ['100MiB', 104_857_600],
    ['10MB', 10_000_000],
    ['1GiB', 1_073_741_824],
    ['1.5GiB', 1_610_612_736],
    ['0.1GB', 100_000_000],
    ['.5K', 512],
    ['0.1K', 103],
    ['1TB', 1_000_000_000_000],
  ])('reads %j as %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  it('is the number times its unit', () => {
    const units = fc.constantFrom(...Object.entries(BYTES))
    fc.assert(
      fc.property(fc.nat(8000), units, (count, [unit, bytes]) => {
        expect(parseSize(`${count}${unit}`)).toBe(count * bytes)
      }),
    )
  })

  it('gives whole bytes back as they are', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        expect([parseSize(bytes), parseSize(String(bytes)), parseSize(`${bytes}B`)]).toEqual([bytes, bytes, bytes])
      }),
    )
  })

  it.each([
    ['10mb', "write '10MB'"],
    ['10 MiB', "write '10MiB'"],
    ['64k', "write '64K'"],
    ['1gib', "write '1GiB'"],
    ['-1K', 'a size cannot be negative'],
    [-1, 'write bytes as a number'],
    [1.5, 'write bytes as a number'],
    [Number.NaN, 'write bytes as a number'],
    [2 ** 53, 'write bytes as a number'],
    ['9007199254740992', 'larger than 8191TiB'],
    ['8192TiB', 'larger than 8191TiB'],
    [`${'9'.repeat(65)}`, 'write bytes as a number'],
  ])('refuses %j and says what to write', (text, remedy) => {
    expect(() => parseSize(text)).toThrow(remedy)
    expect(codeOf(() => parseSize(text))).toBe('FST_AUDIT_INVALID_UNIT')
  })

  it.each(['', ' ', 'K', '1Ki', '1P', '1KK', '1e3', '0x10', '1,000', '1_000', '+1K', '10MiB\n', 'NaN', '1.5.5K'])(
    'refuses %j',
    (text) => {
      expect(codeOf(() => parseSize(text))).toBe('FST_AUDIT_INVALID_UNIT')
    },
  )

  it('gives a whole number that is safe, or its error, whatever it is given', () => {
    const alphabet = fc.string({ unit: fc.constantFrom(...'0123456789.-KMGTiB '), maxLength: 20 })
    fc.assert(
      fc.property(fc.oneof(alphabet, fc.string(), fc.double()), (text) => {
        const bytes = codeOf(() => parseSize(text))
        if (bytes === 'FST_AUDIT_INVALID_UNIT') return
        expect(bytes).toSatisfy((value) => Number.isSafeInteger(value) && Number(value) >= 0)
      }),
      { numRuns: 1000 },
    )
  })
})
