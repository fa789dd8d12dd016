/** The way in which a body is read; `other` cannot be read. */
export type BodyKind = 'json' | 'form' | 'text' | 'multipart' | 'other'

const LONGEST = 100

/** RFC 9110: two tokens. */
const WELL_FORMED = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+$/

/** Returns `type/subtype` of a `content-type` header in lower case; undefined if it is not well formed or too long. */
export function mediaTypeOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const end = header.indexOf(';')
  const name = (end === -1 ? header : header.slice(0, end)).trim()
  return name.length <= LONGEST && WELL_FORMED.test(name) ? name.toLowerCase() : undefined
}

/** Returns how a body is read; a body without a media type counts as `text`. */
export function kindOf(mediaType: string | undefined): BodyKind {
  if (mediaType === undefined) return 'text'
  if (mediaType === 'application/json' || mediaType === 'text/json' || mediaType.endsWith('+json')) return 'json'
  if (mediaType === 'application/x-www-form-urlencoded') return 'form'
  // The text of an XML element has no key beside it that would tell that it is secret.
  if (mediaType === 'text/xml') return 'other'
  if (mediaType.startsWith('text/')) return 'text'
  return mediaType.startsWith('multipart/') ? 'multipart' : 'other'
}
