// Finds secrets by their forms alone, whatever their keys.

/** Is given a secret, and returns the text for its place. */
export type Replace = (secret: string) => string

/**
 * `user:password@` of a URL; also with a `/`, `?` or `#`, which many passwords hold although they should not. Without a
 * scheme it must begin a word and hold a password.
 */
const USER_INFO =
  /(?<=:)\/\/(?:[^\s/?#]*@|[^\s/?#:@[\]"']{0,128}:(?!\d{1,5}(?:[/?#"'\s]|$))[^\s"'<>@]{0,128}@)|(?<![^\s"'`=(<,[])\/\/[^\s/?#:@[\]"']{1,128}:[^\s/?#"'<>@]{0,128}@/g

/** Ends the user information of Go's drivers for MySQL, which has no scheme: `user:password@tcp(host)`. */
const DSN = /@(?:tcp|udp|unix)\d?\(/g
const LONGEST_USER_INFO = 256

/** Redacts user information of URLs; a name alone too, because many services take a token as the name. */
export function redactUserInfo(text: string, replace: Replace): string {
  const clean = text.replace(USER_INFO, (found) => `//${replace(found.slice(2, -1))}@`)
  return clean.includes('(') ? redactDsn(clean, replace) : clean
}

function redactDsn(text: string, replace: Replace): string {
  let redacted = ''
  let copied = 0
  for (const { index } of text.matchAll(DSN)) {
    const least = Math.max(copied, index - LONGEST_USER_INFO)
    let start = index
    while (start > least && !/[\s"'`=(]/.test(text.charAt(start - 1))) start--
    const found = text.slice(start, index)
    if (!found.includes(':') || found.endsWith(']')) continue
    redacted += text.slice(copied, start) + replace(found)
    copied = index
  }
  return copied === 0 ? text : redacted + text.slice(copied)
}

const PEM_BEGIN = '-----BEGIN'
const PEM_END = '-----END'
const PEM_HEADER = /-----BEGIN[ +][A-Z0-9 +]{0,48}-----/y

/** Redacts private keys in PEM, to the line that ends them; to the end of the text if there is none. */
export function redactPrivateKeys(text: string, replace: Replace): string {
  let redacted = ''
  let start = 0
  let begin = text.indexOf(PEM_BEGIN)
  while (begin !== -1) {
    PEM_HEADER.lastIndex = begin
    const header = PEM_HEADER.exec(text)?.[0]
    if (header === undefined || !/PRIVATE[ +]KEY/.test(header)) {
      begin = text.indexOf(PEM_BEGIN, begin + PEM_BEGIN.length)
      continue
    }
    const end = endOfPem(text, begin + header.length)
    redacted += text.slice(start, begin) + replace(text.slice(begin, end))
    start = end
    begin = text.indexOf(PEM_BEGIN, end)
  }
  return start === 0 ? text : redacted + text.slice(start)
}

function endOfPem(text: string, from: number): number {
  const footer = text.indexOf(PEM_END, from)
  if (footer === -1) return text.length
  const dashes = text.indexOf('-----', footer + PEM_END.length)
  return dashes === -1 || dashes > footer + 64 ? text.length : dashes + 5
}

/** `%20` and `+` are spaces in a query. */
const SCHEME = /(?<![A-Za-z])(bearer|basic|token|api-?key)((?:[\s+]|%20){1,16})([^\s"'<>,;&\\]+)/gi

/** The proof of a password in `Digest` credentials: MD5 or SHA-256, in hexadecimal. */
const DIGEST = /(?<=[\s,;]response=\\{0,3}["']?)[\da-f]{32}(?:[\da-f]{32})?(?![\da-f])/gi

/** Redacts credentials after the name of a scheme, which stays. A word after it is prose, such as a plan's name. */
export function redactCredentials(text: string, hashed: Replace, masked: Replace): string {
  const clean = text.replace(SCHEME, (found, scheme: string, space: string, credentials: string) => {
    const name = scheme.toLowerCase()
    if (!isCredentials(name, credentials, found.length === text.length)) return found
    return scheme + space + (name === 'basic' ? masked(credentials) : hashed(credentials))
  })
  return /digest\s/i.test(clean) ? clean.replace(DIGEST, hashed) : clean
}

/** `Bearer [token]` of a help text, and the parameters of a challenge: `Bearer realm="x"`. */
const NO_CREDENTIALS =
  /^(?:[[<][A-Za-z _-]*[\]>]?|(?:realm|error|scope|charset|nonce|resource_metadata|authorization_uri)=)$/i

function isCredentials(scheme: string, text: string, isWhole: boolean): boolean {
  if (NO_CREDENTIALS.test(text)) return false
  if (scheme === 'bearer') return isWhole || !isProse(text)
  if (scheme === 'basic') return isBasic(text)
  // Many sentences begin with `Token` or `ApiKey`: credentials after them have to look random.
  return text.length >= 8 && /\d/.test(text) && /[a-z]/i.test(text)
}

function isProse(text: string): boolean {
  return text.length <= 32 && /^[(*_]?[A-Za-z]?[a-z]*(?:[-/'’][A-Za-z]?[a-z]+){0,4}[.:!?)*_]{0,3}$/.test(text)
}

/** Base64 of `user:password`; or a text that is not a word, and too long for a number. */
function isBasic(text: string): boolean {
  if (Buffer.from(text, 'base64').includes(':')) return true
  return text.length >= 8 && !isProse(text)
}

const PART = /[\w-]*/y
const OTHER_PARTS = /\.[\w-]*\.[\w-]*(?:\.[\w-]*\.[\w-]*)?/y

/** Less than a header of a JSON Web Token has, and more than the end of a word: `heyJude.1.2` is not a token. */
const SHORTEST_HEADER = 12

/** Redacts JSON Web Tokens: three parts in base64url, or five if encrypted, of which the first begins with `eyJ`. */
export function redactTokens(text: string, replace: Replace): string {
  let redacted = ''
  let start = 0
  for (let begin = text.indexOf('eyJ'); begin !== -1; ) {
    // Read to the end of the run: each run is read once, however often `eyJ` stands in it.
    PART.lastIndex = begin
    PART.test(text)
    const header = PART.lastIndex
    OTHER_PARTS.lastIndex = header
    const isToken = header - begin >= SHORTEST_HEADER || !isGlued(text, begin)
    if (isToken && OTHER_PARTS.test(text)) {
      const end = OTHER_PARTS.lastIndex
      redacted += text.slice(start, begin) + replace(text.slice(begin, end))
      start = end
    }
    begin = text.indexOf('eyJ', Math.max(start, header))
  }
  return start === 0 ? text : redacted + text.slice(start)
}

function isGlued(text: string, index: number): boolean {
  return index > 0 && /[A-Za-z0-9]/.test(text.charAt(index - 1))
}
