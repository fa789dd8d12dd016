import type { Changes } from './changes.js'

/** What stands in the place of a redacted value. */
export const REDACTED = '[REDACTED]'

/** Names of keys whose values never reach a line: lower case, without `-` and `_`. */
const SECRET_KEYS: ReadonlySet<string> = new Set([
  ...['password', 'passwd', 'pwd', 'passphrase', 'newpassword', 'oldpassword', 'currentpassword'],
  ...['passwordconfirmation', 'confirmpassword', 'userpassword', 'secret', 'clientsecret', 'sharedsecret'],
  ...['token', 'accesstoken', 'refreshtoken', 'idtoken', 'authtoken', 'csrftoken', 'xsrftoken', 'resettoken'],
  ...['bearertoken', 'sessiontoken', 'usertoken', 'apitoken', 'xauthtoken', 'xapikey', 'apikey', 'authorization'],
  ...['proxyauthorization', 'auth', 'jwt', 'cookie', 'setcookie', 'privatekey', 'secretkey', 'accesskey'],
  ...['encryptionkey', 'signingkey', 'sshkey', 'credential', 'credentials', 'kubeconfig'],
  ...[
    'session',
    'sessionid',
    'sid',
    'jsessionid',
    'phpsessid',
    'clientassertion',
    'assertion',
    'samlresponse',
    'pass',
    'otp',
    'totp',
    'mfacode',
    'pin',
    'cvv',
    'cvc',
    'cvv2',
  ],
  ...['cardnumber', 'creditcard', 'creditcardnumber', 'ssn', 'socialsecuritynumber'],
  // Signed URLs: AWS (both versions), Google Cloud, Azure SAS.
  ...['xamzsignature', 'xamzsecuritytoken', 'xamzcredential', 'awsaccesskeyid', 'signature'],
  ...['xgoogsignature', 'xgoogcredential', 'googleaccessid', 'sig'],
])

/** Parts of an event that `redact.omit` can leave out. */
export const OMITTABLE = [
  'auth.name',
  'auth.policies',
  'auth.groups',
  'auth.global',
  'auth.create_time',
  'auth.method',
  'auth.on_behalf_of',
  'request.request_meta.remote_address',
  'request.request_meta.user_agent',
  'request.request_meta.source_ips',
  'request.request_meta.traceparent',
  'request.node_meta.ip',
  'request.headers',
  'request.body',
  'response.error',
  'response.headers',
  'response.body',
  'annotations',
] as const

/** A part of an event that can be left out. */
export type OmittablePath = (typeof OMITTABLE)[number]

/** By which rules values are redacted, every option decided. */
export interface RedactSettings {
  /** Names of keys beside the built-in ones. */
  readonly keys: readonly string[]
  readonly mode: 'mask' | 'hmac'
  /** At least 32 bytes, for the mode `hmac`. */
  readonly secret: Uint8Array | undefined
  /** What says which secret a value was hashed under. */
  readonly keyId: string
  readonly omit: readonly OmittablePath[]
}

/** How secret a key's value is: not at all, to be masked or hashed, or to be masked in either mode. */
export type Secrecy = 0 | 1 | 2

const BUILT_IN: RedactSettings = { keys: [], mode: 'mask', secret: undefined, keyId: '', omit: [] }

/** What never reaches a line, by the rules of one server. */
export class Redactor {
  private readonly omitted: ReadonlySet<string> | null

  constructor(settings: RedactSettings = BUILT_IN) {
    this.omitted = settings.omit.length === 0 ? null : new Set(settings.omit)
  }

  /** Whether a part of every event is left out. */
  omits(path: OmittablePath): boolean {
    return this.omitted?.has(path) ?? false
  }

  /** How secret the value of a key is; `marks` are further names, in a key's normal form. */
  secrecyOf(key: string, marks: ReadonlySet<string> | null = null): Secrecy {
    return isSecretKey(key) || (marks?.has(key) ?? false) ? 1 : 0
  }

  /** What stands in the place of the value of a secret key. */
  replacement(_value: unknown, _secrecy: Secrecy): string {
    return REDACTED
  }

  /** The URL as the client sent it, without secrets. */
  endpoint(url: string, _route: string | undefined, changes: Changes): string {
    return redactEndpoint(url, changes)
  }

  /** Running text, such as an error's message, without secrets. */
  text(text: string, path: string, changes: Changes): string {
    return redactText(text, path, changes)
  }

  /** One text among others, such as a value in a body or a header, without the secrets that its form gives away. */
  value(text: string, _changes: Changes): string {
    return text
  }
}

const QUERY_SEPARATOR = /[?&;#]/g

/** `user:password@` of a URL in absolute form, which a request line and an error's message may hold. */
const USER_INFO = /:\/\/[^\s/?#]*@/g

/**
 * A key and what stands before its value in running text: a URL, a header, JSON (also inside a JSON string). A match
 * begins only where a run of key characters begins, so that a long run is walked through once, not once a character.
 */
const KEY_AND_SEPARATOR = /(?<![\w.\-%[\]])([\w.\-%[\]]+)\\{0,8}["']?\s{0,3}(?:=>|[=:])\s{0,3}/g

/** A value in quotes, up to its closing one or the end; otherwise all that is not a space or `&`. Rather too much. */
const VALUE = /(\\{0,8})(["'])[\s\S]*?(?:(?<!\\)\1\2|$)|(?:(?:bearer|basic|digest|token)\s{1,3})?[^\s&]+/iy

/** The value of a header that has spaces in it: the whole line. */
const LINE = /[^\r\n]+/y
const HAS_SPACES = /(?:cookie|authorization)\W*:\W*$/i

/** Error text is cut to this before it is searched; far more than a line keeps of it. */
const SEARCHED_TEXT = 16_384

/**
 * Whether a key's value is secret by the key's name, without regard to case, `-`, `_` and percent-encoding, and for
 * each part of a path such as `user[password]` or `auth.token`.
 */
export function isSecretKey(key: string): boolean {
  for (const part of decodeTwice(key)
    .toLowerCase()
    .split(/[[\].]/)) {
    if (SECRET_KEYS.has(part.replace(/[-_\s]/g, ''))) return true
  }
  return false
}

/** The URL as the client sent it, with the values of secret keys in its query (and fragment) redacted. */
export function redactEndpoint(url: string, changes: Changes): string {
  const query = url.search(QUERY_SEPARATOR)
  const path = query === -1 ? url : url.slice(0, query)
  // Only the absolute form has a host, and user information before it.
  let redacted = path.startsWith('/') ? path : redactUserInfo(path, changes)
  if (query === -1) return redacted
  let start = query
  QUERY_SEPARATOR.lastIndex = query + 1
  while (start < url.length) {
    const next = QUERY_SEPARATOR.exec(url)
    const end = next ? next.index : url.length
    redacted += redactPair(url.slice(start, end), changes)
    start = end
  }
  return redacted
}

/** Running text, such as an error's message, with the values of secret keys redacted. */
export function redactText(text: string, path: string, changes: Changes): string {
  let searched = text
  if (text.length > SEARCHED_TEXT) {
    searched = text.slice(0, SEARCHED_TEXT)
    changes.markTruncated(path, Buffer.byteLength(text), SEARCHED_TEXT)
  }
  searched = redactUserInfo(searched, changes)
  let redacted = ''
  let start = 0
  KEY_AND_SEPARATOR.lastIndex = 0
  for (let found = KEY_AND_SEPARATOR.exec(searched); found !== null; found = KEY_AND_SEPARATOR.exec(searched)) {
    const [between, key = ''] = found
    // What follows the key of no secret may be the key of one: `Route GET:/login?password=x not found`.
    if (!isSecretKey(key)) continue
    const end = endOfValue(searched, KEY_AND_SEPARATOR.lastIndex, HAS_SPACES.test(between))
    if (end === KEY_AND_SEPARATOR.lastIndex) continue
    redacted += `${searched.slice(start, KEY_AND_SEPARATOR.lastIndex)}${REDACTED}`
    changes.redacted++
    start = end
    KEY_AND_SEPARATOR.lastIndex = end
  }
  return redacted + searched.slice(start)
}

function redactUserInfo(text: string, changes: Changes): string {
  return text.replace(USER_INFO, () => {
    changes.redacted++
    return `://${REDACTED}@`
  })
}

function endOfValue(text: string, start: number, hasSpaces: boolean): number {
  const isQuoted = /["'\\]/.test(text[start] ?? '')
  const pattern = hasSpaces && !isQuoted ? LINE : VALUE
  pattern.lastIndex = start
  return pattern.test(text) ? pattern.lastIndex : start
}

/** One `?key=value`, its separator included. */
function redactPair(pair: string, changes: Changes): string {
  const equals = pair.indexOf('=')
  if (equals === -1 || equals === pair.length - 1 || !isSecretKey(pair.slice(1, equals))) return pair
  changes.redacted++
  return `${pair.slice(0, equals + 1)}${REDACTED}`
}

function decodeTwice(key: string): string {
  return key.includes('%') ? decodeOnce(decodeOnce(key)) : key
}

/** Percent-decodes ASCII alone: a name in the list has nothing else, and a malformed sequence must not throw. */
function decodeOnce(key: string): string {
  return key.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
