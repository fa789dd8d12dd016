import { compileGlob, expandBraces } from './glob.js'
import type { RouterFolding } from './path.js'

/** Globs as one, compiled so that the common kinds cost a look-up. */
export class PatternSet {
  private readonly exact = new Set<string>()
  private readonly prefixes: string[] = []
  private readonly globs: ((text: string) => boolean)[] = []

  /** Takes patterns whose braces are expanded. */
  constructor(patterns: Iterable<string>) {
    for (const pattern of new Set(patterns)) {
      const star = pattern.indexOf('*')
      if (star === -1) this.exact.add(pattern)
      else if (star === pattern.length - 1) this.prefixes.push(pattern.slice(0, -1))
      else this.globs.push(compileGlob(pattern))
    }
  }

  matches(text: string): boolean {
    return this.matchesBoth(text, text)
  }

  /** Tells whether one and the same pattern matches both spellings of a path. */
  matchesBoth(raw: string, canonical: string): boolean {
    const same = raw === canonical
    if (same && this.exact.has(raw)) return true
    for (const prefix of this.prefixes) {
      if (raw.startsWith(prefix) && (same || canonical.startsWith(prefix))) return true
    }
    for (const matches of this.globs) {
      if (matches(raw) && (same || matches(canonical))) return true
    }
    return false
  }

  /** Tells whether a pattern matches a spelling of a path, and another one perhaps the other. */
  matchesEither(raw: string, canonical: string): boolean {
    return this.matches(raw) || (raw !== canonical && this.matches(canonical))
  }
}

/** Compiles patterns; undefined if every text is meant, so that it need not be looked at. */
export function patternsOf(patterns: readonly string[] | undefined): PatternSet | undefined {
  const globs = patterns?.flatMap(expandBraces)
  return globs === undefined || globs.some(isAnything) ? undefined : new PatternSet(globs)
}

/** Patterns over paths, in lower case if the router ignores case. */
export function inCase(patterns: readonly string[], { caseSensitive }: RouterFolding): readonly string[] {
  return caseSensitive ? patterns : patterns.map((pattern) => pattern.toLowerCase())
}

/** Tells whether a glob matches every text. */
export function isAnything(glob: string): boolean {
  return /^\*+$/.test(glob)
}

/** Tells whether globs match a method, or, without a method, every method. */
export function matchesOperation(globs: readonly string[], method: string | undefined): boolean {
  return globs.some(method === undefined ? isAnything : (glob) => compileGlob(glob)(method))
}
