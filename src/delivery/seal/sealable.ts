import type { Format } from '../../event/draft.js'
import { parseJson } from '../../json.js'

/** A user's format in front of a chain, which needs a JSON object to put its two members into. */
export function sealable(format: Format): Format {
  return (draft, seq) => {
    const line = format(draft, seq).trim()
    const problem = sealableProblem(line)
    if (problem !== undefined) throw new TypeError(`the format returned a line that ${problem}`)
    return line
  }
}

/** Why a line cannot be sealed, if it cannot. */
export function sealableProblem(line: string): string | undefined {
  const value = parseJson(line)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is no JSON object'
  if (Object.keys(value).length === 0) return 'is an empty JSON object'
  // A reader takes the last of two members of a name, a verifier looks at the end of the line: they must not differ.
  return 'prev' in value || 'hash' in value ? 'has a `prev` or a `hash` of its own' : undefined
}
