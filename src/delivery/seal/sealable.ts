import type { Format } from '../../event/draft.js'
import { parseJson } from '../../json.js'

/** Checks the lines of a user's format: a seal is two members of a JSON object. */
export function sealable(format: Format): Format {
  return (draft, seq) => {
    const line = format(draft, seq).trim()
    const problem = sealableProblem(line)
    if (problem !== undefined) throw new TypeError(`the format returned a line that ${problem}`)
    return line
  }
}

/** Says why a line cannot be sealed; `undefined` if it can. */
export function sealableProblem(line: string): string | undefined {
  const value = parseJson(line)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is no JSON object'
  if (Object.keys(value).length === 0) return 'is an empty JSON object'
  // A reader takes the last of two members of one name, a verifier the end of the line: the two must not differ.
  return 'prev' in value || 'hash' in value ? 'has a `prev` or a `hash` of its own' : undefined
}
