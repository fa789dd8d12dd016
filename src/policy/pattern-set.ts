import { compileGlob } from './glob.js'

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
}

/** Tells whether a glob matches every text. */
export function isAnything(glob: string): boolean {
  return /^\*+$/.test(glob)
}

/** Tells whether globs match a method, or, without a method, every method. */
export function matchesOperation(globs: readonly string[], method: string | undefined): boolean {
  return globs.some(method === undefined ? isAnything : (glob) => compileGlob(glob)(method))
}
