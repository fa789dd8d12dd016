import micromatch from 'micromatch'

/** A pattern longer than this cannot match anything that is recorded whole. */
const MAX_PATTERN_LENGTH = 4096

const MAX_EXPANSIONS = 1000

/** First of the private-use characters that stand for a pattern's literal parts while its braces are expanded. */
const PLACEHOLDER = 0xe000

const RANGE = /\{(?:(-?\d{1,9})\.\.(-?\d{1,9})|([a-z])\.\.([a-z])|([A-Z])\.\.([A-Z]))(?:\.\.([1-9]\d{0,8}))?\}/y

/** A pattern that cannot mean what its author wants; the message says what to write. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
}

/**
 * Makes a matcher of a glob in which `*` is any run of characters and nothing else is special: equal to Nomad's
 * go-glob. A compiled RegExp would backtrack, and one URL could stop the server; this looks at each piece once.
 */
export function compileGlob(pattern: string): (text: string) => boolean {
  const pieces = pattern.split('*')
  const prefix = pieces[0] ?? ''
  if (pieces.length === 1) return (text) => text === prefix
  const suffix = pieces[pieces.length - 1] ?? ''
  const middle = pieces.slice(1, -1).filter((piece) => piece !== '')
  if (middle.length > 0) return (text) => matchesPieces(text, prefix, middle, suffix)
  if (suffix === '') return (text) => text.startsWith(prefix)
  const least = prefix.length + suffix.length
  return (text) => text.length >= least && text.startsWith(prefix) && text.endsWith(suffix)
}

/** The leftmost place of each piece leaves the most room for the next one, so nothing is ever tried twice. */
function matchesPieces(text: string, prefix: string, middle: readonly string[], suffix: string): boolean {
  if (!text.startsWith(prefix)) return false
  let from = prefix.length
  for (const piece of middle) {
    const at = text.indexOf(piece, from)
    if (at === -1) return false
    from = at + piece.length
  }
  return text.length - suffix.length >= from && text.endsWith(suffix)
}

/**
 * The patterns that a pattern with braces stands for; a pattern without braces is its own only one.
 *
 * @throws {PatternError} when a brace is unbalanced or has neither `,` nor a range, or when they are too many.
 */
export function expandBraces(pattern: string): string[] {
  if (!/[{}]/.test(pattern)) return [pattern]
  const { text, literals } = parseBraces(pattern)
  const expanded = new Set<string>()
  for (const each of micromatch.braces(text, { expand: true })) expanded.add(restore(each, literals))
  return [...expanded]
}

/** Says what is wrong with an endpoint pattern and what to write instead; `undefined` when it is sound. */
export function endpointPatternProblem(pattern: string): string | undefined {
  if (pattern === '') return 'is empty and matches no URL; write a path such as "/health", or "*" for every URL'
  const parameter = /(?:^|[/{,]):[^/{},]*/.exec(pattern)
  if (parameter !== null) {
    const globbed = pattern.replace(/(^|[/{,]):[^/{},]*/g, '$1*')
    return `is a route pattern, but endpoints are matched with the URL; write "*" for the parameter: "${globbed}"`
  }
  if (pattern.includes('\\')) {
    return 'has a backslash, which escapes nothing here; leave it out, or write "*" for a character that is not to be read literally'
  }
  if (/["'`]/.test(pattern)) {
    return 'has a quote; leave it out, or write "*" in its place when the URL really has one'
  }
  return braceProblem(pattern)
}

/** Says what is wrong with the braces of a pattern and what to write instead; `undefined` if they are sound. */
export function braceProblem(pattern: string): string | undefined {
  try {
    if (/[{}]/.test(pattern)) parseBraces(pattern)
    return undefined
  } catch (error) {
    if (error instanceof PatternError) return error.message
    throw error
  }
}

interface ParsedBraces {
  /** The pattern's braces, commas and ranges, with one placeholder for each literal part. */
  readonly text: string
  readonly literals: readonly string[]
}

/** An open brace, or the whole: how many patterns its finished alternatives, and the one being read, stand for. */
interface Block {
  finished: number
  current: number
  commas: number
}

/**
 * Checks the braces and hides everything else: micromatch gives a meaning to quotes, brackets, parentheses, `$`,
 * backslashes and no-break spaces, and would change or drop them.
 */
function parseBraces(pattern: string): ParsedBraces {
  if (pattern.length > MAX_PATTERN_LENGTH) {
    throw new PatternError(`is ${pattern.length} characters long; write at most ${MAX_PATTERN_LENGTH}`)
  }
  const blocks: [Block, ...Block[]] = [{ finished: 0, current: 1, commas: 0 }]
  const literals: string[] = []
  let text = ''
  for (let index = 0; index < pattern.length; ) {
    const syntax = syntaxAt(pattern, index, blocks)
    if (syntax !== undefined) {
      text += syntax
      index += syntax.length
    } else {
      const literal = literalAt(pattern, index, blocks.length > 1)
      text += String.fromCharCode(PLACEHOLDER + literals.length)
      literals.push(literal)
      index += literal.length
    }
    if (blocks.some((block) => block.current > MAX_EXPANSIONS)) {
      throw new PatternError(`stands for more than ${MAX_EXPANSIONS} patterns; write "*" in place of a brace group`)
    }
  }
  if (blocks.length > 1) throw new PatternError(unbalanced('{'))
  return { text, literals }
}

/** Takes a range, brace or comma into account; `undefined` when none begins here. */
function syntaxAt(pattern: string, index: number, blocks: [Block, ...Block[]]): string | undefined {
  const block = blocks[blocks.length - 1] ?? blocks[0]
  const range = rangeAt(pattern, index)
  if (range !== undefined) {
    block.current *= range.count
    return range.text
  }
  const char = pattern.charAt(index)
  if (char === '{') {
    blocks.push({ finished: 0, current: 1, commas: 0 })
  } else if (char === '}') {
    closeBlock(block, blocks)
  } else if (char === ',' && blocks.length > 1) {
    block.finished += block.current
    block.current = 1
    block.commas += 1
  } else {
    return undefined
  }
  return char
}

function closeBlock(block: Block, blocks: [Block, ...Block[]]): void {
  const parent = blocks[blocks.length - 2]
  if (parent === undefined) throw new PatternError(unbalanced('}'))
  if (block.commas === 0) throw new PatternError(noAlternative)
  parent.current *= block.finished + block.current
  blocks.pop()
}

const noAlternative =
  'has a brace group that stands for one thing only; write alternatives "{GET,HEAD}" or a range "{1..3}" or "{a..c}", or leave the braces out'

function unbalanced(brace: '{' | '}'): string {
  const missing = brace === '{' ? '}' : '{'
  return `has a "${brace}" without its "${missing}"; close the group, or write "*" for a brace that the URL really has`
}

function rangeAt(pattern: string, index: number): { text: string; count: number } | undefined {
  if (pattern.charCodeAt(index) !== 0x7b) return undefined
  RANGE.lastIndex = index
  const found = RANGE.exec(pattern)
  if (found === null) return undefined
  const [text, fromNumber, toNumber, fromLower, toLower, fromUpper, toUpper, step] = found
  const from = fromNumber === undefined ? codeOf(fromLower ?? fromUpper) : Number(fromNumber)
  const to = toNumber === undefined ? codeOf(toLower ?? toUpper) : Number(toNumber)
  return { text, count: Math.floor(Math.abs(to - from) / Number(step ?? 1)) + 1 }
}

function codeOf(letter: string | undefined): number {
  return letter === undefined ? Number.NaN : letter.charCodeAt(0)
}

function literalAt(pattern: string, index: number, inBraces: boolean): string {
  let end = index
  while (end < pattern.length) {
    const next = pattern.charAt(end)
    if (next === '{' || next === '}' || (inBraces && next === ',')) break
    end += 1
  }
  const literal = pattern.slice(index, end)
  if (inBraces && literal.includes('..')) {
    throw new PatternError(
      `has "${literal}" in braces; write a range in braces of its own, of numbers or of letters of one case: "{1..3}", "{a..c}"`,
    )
  }
  return literal
}

/** A literal part for each placeholder; what is no placeholder came out of a range. */
function restore(expanded: string, literals: readonly string[]): string {
  let restored = ''
  for (const char of expanded) restored += literals[char.charCodeAt(0) - PLACEHOLDER] ?? char
  return restored
}
