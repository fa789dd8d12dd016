import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { compileGlob, endpointPatternProblem, expandBraces, PatternError } from '../../src/policy/glob.js'
import { runs } from '../support/runs.js'

afterEach(() => {
  vi.restoreAllMocks()
})

/** `*` or one character against what is left, place by place: slow, and plainly right. */
function naiveMatch(pattern: string, text: string): boolean {
  let reachable = new Set([0])
  for (const unit of pattern.split('')) {
    const next = new Set<number>()
    for (const at of reachable) {
      if (unit === '*') for (let end = at; end <= text.length; end++) next.add(end)
      else if (text.charAt(at) === unit && at < text.length) next.add(at + 1)
    }
    reachable = next
  }
  return reachable.has(text.length)
}

/** Few different characters, so that pieces overlap and repeat. */
const alphabet = fc.constantFrom('a', 'b', '/', '\n', 'é', '😀', '\\', '.', '?', '[', '(', '+', '$', '^', "'", ' ')
const text = fc.string({ unit: fc.oneof(fc.constantFrom('a', 'b'), alphabet), maxLength: 14 })
const pattern = fc.string({ unit: fc.oneof(fc.constantFrom('*', 'a', 'b'), alphabet), maxLength: 10 })

/** Texts that a pattern matches, or nearly: random ones seldom do. */
const patternAndText = pattern.chain((glob) =>
  fc.tuple(
    fc.constant(glob),
    fc.oneof(
      text,
      fc
        .array(text, { minLength: glob.length, maxLength: glob.length })
        .map((runs) => glob.split('').reduce((all, unit, i) => all + (unit === '*' ? (runs[i] ?? '') : unit), '')),
    ),
  ),
)

/** Hardly anything but stars and repetition: pieces that overlap. */
const dense = fc.tuple(
  fc.string({ unit: fc.constantFrom('*', '*', 'a', 'a', 'b'), maxLength: 7 }),
  fc.string({ unit: fc.constantFrom('a', 'a', 'b'), maxLength: 6 }),
)

describe('compileGlob', () => {
  it('matches exactly what a naive model matches', () => {
    let matched = 0
    fc.assert(
      fc.property(fc.oneof(patternAndText, dense), ([glob, subject]) => {
        const expected = naiveMatch(glob, subject)
        if (expected) matched += 1
        expect(compileGlob(glob)(subject)).toBe(expected)
      }),
      { numRuns: runs(500) },
    )
    expect(matched).toBeGreaterThan(50)
  })

  it('matches any unicode text as the naive model does', () => {
    const any = fc.string({ unit: 'binary', maxLength: 8 })
    fc.assert(
      fc.property(any, any, any, (before, between, after) => {
        const glob = `${before}*${after}`
        expect(compileGlob(glob)(before + between + after)).toBe(true)
        expect(compileGlob(glob)(between)).toBe(naiveMatch(glob, between))
      }),
      { numRuns: runs(200) },
    )
  })

  // From the tests of github.com/ryanuber/go-glob.
  it.each([
    ['', '', true],
    ['', 'test', false],
    ['*', '', true],
    ['*', 'test', true],
    ['*test', 'this is a test', true],
    ['this*', 'this is a test', true],
    ['*is *', 'this is a test', true],
    ['*is*a*', 'this is a test', true],
    ['**test**', 'this is a test', true],
    ['**is**a***test*', 'this is a test', true],
    ['test*', 'this is a test', false],
    ['*is', 'this is a test', false],
    ['*no*', 'this is a test', false],
    ['[!a]*', 'this is a test', false],
    ['*ab*ab', 'ab', false],
    ['a*a', 'a', false],
    ['a*a*', 'a', false],
    ['*aa*a*', 'aa', false],
    ['*aa*a', 'aa', false],
    ['*aba*ab*', 'abab', false],
  ])('as go-glob, %j matches %j: %s', (glob, subject, expected) => {
    expect(compileGlob(glob)(subject)).toBe(expected)
  })

  it('searches for each piece once, in a path that a backtracking matcher would not finish', () => {
    const matches = compileGlob(`${'*a'.repeat(50)}*b`)
    const path = 'a'.repeat(16_000)
    const search = vi.spyOn(String.prototype, 'indexOf')
    expect(matches(path)).toBe(false)
    expect(matches(`${path}b`)).toBe(true)
    const starts = search.mock.calls.map(([, from]) => from)
    expect(starts.length).toBe(100)
    expect(starts.slice(0, 50)).toEqual(Array.from({ length: 50 }, (_, piece) => piece))
  })

  it('looks at no character twice for pieces that nearly occur everywhere', () => {
    const piece = `${'a'.repeat(30)}b`
    const path = 'a'.repeat(16_000)
    const search = vi.spyOn(String.prototype, 'indexOf')
    expect(compileGlob(`*${piece}*`.repeat(50))(path)).toBe(false)
    expect(search).toHaveBeenCalledTimes(1)
  })
})

/** Alternatives as a tree, its notation, and what it stands for. */
type Node = string | { readonly any: readonly (readonly Node[])[] }

function notation(nodes: readonly Node[]): string {
  return nodes
    .map((node) => (typeof node === 'string' ? node : `{${node.any.map((each) => notation(each)).join(',')}}`))
    .join('')
}

function meaning(nodes: readonly Node[]): string[] {
  return nodes.reduce<string[]>(
    (all, node) => {
      const alternatives = typeof node === 'string' ? [node] : node.any.flatMap((each) => meaning(each))
      return all.flatMap((before) => alternatives.map((each) => before + each))
    },
    [''],
  )
}

const hostile = fc.constantFrom(
  ...['a', 'b', '*', '/', '.', '$', '!', '?', '[', ']', '(', ')', '\\', '"', "'", '`', '+', '@', '|', '\n'],
  ...['\u00a0', '\ufeff', '\ue000', '\ue001', '😀', '-', '1', '^', ' '],
)
const literal = fc.string({ unit: hostile, maxLength: 4 }).filter((each) => !each.includes('..'))
const { nodes: tree } = fc.letrec<{ nodes: Node[]; node: Node; group: Node }>((tie) => ({
  nodes: fc.array(tie('node'), { maxLength: 3, depthIdentifier: 'braces' }),
  node: fc.oneof({ depthSize: 'small', maxDepth: 3, depthIdentifier: 'braces' }, literal, tie('group')),
  group: fc.record({ any: fc.array(tie('nodes'), { minLength: 2, maxLength: 3, depthIdentifier: 'braces' }) }),
}))

describe('expandBraces', () => {
  it('leaves a pattern without braces untouched, whatever else it holds', () => {
    const braceless = fc.string({ unit: 'binary' }).filter((each) => !/[{}]/.test(each))
    fc.assert(
      fc.property(braceless, fc.string({ unit: hostile }), (any, odd) => {
        expect(expandBraces(any)).toEqual([any])
        expect(expandBraces(odd)).toEqual([odd])
      }),
    )
  })

  it('expands alternatives, nested and empty ones too, and takes nothing else for syntax', () => {
    fc.assert(
      fc.property(tree, (nodes) => {
        const expected = meaning(nodes)
        fc.pre(expected.length <= 1000 && !notation(nodes).includes('..'))
        expect(new Set(expandBraces(notation(nodes)))).toEqual(new Set(expected))
      }),
      { numRuns: runs(200) },
    )
  })

  it.each([
    ['{GET,HEAD}', ['GET', 'HEAD']],
    ['/v{1..3}/health', ['/v1/health', '/v2/health', '/v3/health']],
    ['/v{08..10}', ['/v08', '/v09', '/v10']],
    ['/{a..e..2}', ['/a', '/c', '/e']],
    ['{{1..2},x}', ['1', '2', 'x']],
    ['/health{,/*}', ['/health', '/health/*']],
    ['/$' + '{a,b}', ['/$a', '/$b']],
    ['{a,a}', ['a']],
    ['a,b{1,2}', ['a,b1', 'a,b2']],
  ])('expands %s', (glob, expected) => {
    expect(expandBraces(glob)).toEqual(expected)
  })

  it('takes a thousand patterns', () => {
    expect(expandBraces('/{1..1000}')).toHaveLength(1000)
  })

  it.each([
    ['{GET}', /"\{GET,HEAD\}"/],
    ['/a{}', /leave the braces out/],
    ['/a{b,c', /without its "\}"/],
    ['/a}b', /without its "\{"/],
    ['{a,b}}', /without its "\{"/],
    ['/{1..1001}', /more than 1000 patterns/],
    ['{1..99999999}', /more than 1000 patterns/],
    ['{a,b}'.repeat(10_000 / 25), /more than 1000 patterns/],
    [`${'{'.repeat(500)}a,b`, /without its "\}"/],
    [`{${Array.from({ length: 1001 }, (_, i) => i % 7).join(',')}}`, /more than 1000 patterns/],
    ['{1..40}{1..40}', /more than 1000 patterns/],
    ['/{1..3,5}', /a range in braces of its own/],
    ['/{a..}', /a range in braces of its own/],
    ['/{1..z}', /numbers or of letters of one case/],
    ['/{A..z}', /numbers or of letters of one case/],
    ['/{1..9..0}', /a range in braces of its own/],
    [`/{a,b}${'x'.repeat(5000)}`, /at most 4096/],
  ])('refuses %.20s and says what to write', (glob, message) => {
    expect(() => expandBraces(glob)).toThrow(PatternError)
    expect(() => expandBraces(glob)).toThrow(message)
  })
})

describe('endpointPatternProblem', () => {
  it.each(['/health', '*', '/v1/*/keys', '/v{1..3}/{a,b}', '/v1/items:batchGet', '/a b', '/[x]', '/v1?x'])(
    'finds nothing wrong with %s',
    (glob) => {
      expect(endpointPatternProblem(glob)).toBeUndefined()
    },
  )

  it.each([
    ['', 'write a path such as "/health"'],
    ['/v1/items/:id', 'write "*" for the parameter: "/v1/items/*"'],
    ['/v1/:kind/:id(^\\d+$)/x', 'write "*" for the parameter: "/v1/*/*/x"'],
    ['/v1/{:id,all}', 'write "*" for the parameter: "/v1/{*,all}"'],
    [':id', 'write "*" for the parameter: "*"'],
    ['/a\\*', 'backslash'],
    ['"/health"', 'quote'],
    ["/it's", 'quote'],
    ['/`x`', 'quote'],
    ['/{health}', '"{GET,HEAD}"'],
    ['/{health', 'close the group'],
  ])('says what is wrong with %j', (glob, expected) => {
    expect(endpointPatternProblem(glob)).toContain(expected)
  })
})
