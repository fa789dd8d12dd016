/** How a body of a media type can be read: `other` cannot. */
export type BodyKind = 'json' | 'form' | 'text' | 'multipart' | 'other'

const LONGEST = 100

/** RFC 9110: two tokens. */
const WELL_FORMED = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+$/

/** `type/subtype` of a `content-type` header in lower case; undefined for what is none, or none that anybody uses. */
export function mediaTypeOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const end = header.indexOf(';')
  const name = (end === -1 ? header : header.slice(0, end)).trim()
  return name.length <= LONGEST && WELL_FORMED.test(name) ? name.toLowerCase() : undefined
}

/** How a body is read; one without a media type may be anything, and is `text` when it is a text at all. */
export function kindOf(mediaType: string | undefined): BodyKind {
  if (mediaType === undefined) return 'text'
  if (mediaType === 'application/json' || mediaType === 'text/json' || mediaType.endsWith('+json')) return 'json'
  if (mediaType === 'application/x-www-form-urlencoded') return 'form'
  // What an element holds has no key beside it by which it would be found.
  if (mediaType === 'text/xml') return 'other'
  if (mediaType.startsWith('text/')) return 'text'
  return mediaType.startsWith('multipart/') ? 'multipart' : 'other'
}
