import { hash } from './hash.js'
import { KeyIndex } from './key-index.js'
import type { Secrecy } from './keys.js'
import { KnownSecrets } from './known-secrets.js'
import { LONGEST_TEXT } from './limits.js'
import { namesSecret } from './search/assignments.js'
import { isCard } from './search/cards.js'
import { endOfPath, isHarmless, type RedactParams, redactUrl } from './search/endpoint.js'
import { cuesOf, KEY } from './search/prefilter.js'
import { type RouteParams, redactParams, redactUnrouted, routeParams } from './search/route-params.js'
import { REDACTED, Search } from './search/search.js'

export { isSecretKey, normalKey, type Secrecy } from './keys.js'
export { REDACTED } from './search/search.js'

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
  'request.request_meta.host',
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

/** What redaction tells of itself, for the line to say. */
export interface RedactionReport {
  /** How many values were redacted. */
  redacted: number
  /** What is secret in the request's URL by its position, when something is. */
  known: KnownSecrets | undefined
  markTruncated(path: string, bytes: number, kept: number): void
  markOmitted(path: string, reason: string): void
}

const BUILT_IN: RedactSettings = { keys: [], mode: 'mask', secret: undefined, keyId: '', omit: [] }

/** What stands in the place of a text of which nothing can be told, for its redaction failed. */
const OMITTED = '[omitted]'

/** The least number of 13 digits. */
const SMALLEST_CARD = 1e12

/** Makes a text's keyed hash, in mode `hmac`. */
export type Hasher = (text: string) => string

/** What never reaches a line, by the rules of one server. */
export class Redactor {
  private readonly omitted: ReadonlySet<string> | null
  private readonly keys: KeyIndex
  /** By their patterns, of which a server has so many and no more. */
  private readonly params = new Map<string, RouteParams | null>()
  private readonly secretRoutes: RouteParams[] = []

  constructor(
    settings: RedactSettings = BUILT_IN,
    private readonly hasher: Hasher | null = hasherOf(settings),
  ) {
    this.omitted = settings.omit.length === 0 ? null : new Set(settings.omit)
    this.keys = new KeyIndex(settings.keys)
  }

  /** Whether a part of every event is left out. */
  omits(path: OmittablePath): boolean {
    return this.omitted?.has(path) ?? false
  }

  /**
   * How secret the value of a key is. `marks` are further names, each in the form that `normalKey` makes of it; a key is
   * one of them when its own form is, or that of a part of it (`user[ssn]`).
   */
  secrecyOf(key: string, marks: ReadonlySet<string> | null = null): Secrecy {
    return this.keys.secrecyOf(key, marks)
  }

  /** The same of one value: booleans and null tell no secret, unless an option or a mark names their key. */
  secrecyOfValue(key: string, value: unknown, marks: ReadonlySet<string> | null = null): Secrecy {
    const secrecy = this.secrecyOf(key, marks)
    if (secrecy === 0 || (value !== null && typeof value !== 'boolean')) return secrecy
    return this.keys.isNamed(key, marks) ? secrecy : 0
  }

  /** What the member of a key may be by those beside it, as bits of shapes.ts. */
  shapeOf(key: string): number {
    return this.keys.shapeOf(key)
  }

  /** The key that a name stands for, when the value of that key is secret. */
  secretName(name: unknown, marks: ReadonlySet<string> | null = null): string | undefined {
    return this.keys.secretName(name, marks)
  }

  /** The literal of a key that says nothing of any value: of nearly every key, and all that has to be known of it. */
  plainKey(key: string, changes: RedactionReport, marks: ReadonlySet<string> | null): string | null {
    return changes.known === undefined && marks === null ? this.keys.plainLiteralOf(key) : null
  }

  /** A key and its colon as they stand in JSON; null when something of the key is to be redacted, escaped or cut, or may be. */
  keyLiteral(key: string, changes: RedactionReport): string | null {
    // What is secret in the URL is secret in a key, too.
    return changes.known === undefined ? this.keys.literalOf(key) : null
  }

  /**
   * What stands in the place of a secret: `[REDACTED]`, or in mode `hmac` the keyed hash of its text, of a number's or a
   * boolean's JSON. Masked in either mode are what is most secret, what is no text (an object, a list, null, nothing),
   * and what was redacted already.
   */
  replacement(value: unknown, secrecy: Secrecy): string {
    const { hasher } = this
    if (hasher === null || secrecy === 2 || value === '' || value === REDACTED) return REDACTED
    // The password in it is no less one for the scheme before it.
    if (typeof value === 'string') return /^\s*basic\s/i.test(value) ? REDACTED : hasher(value)
    return typeof value === 'number' || typeof value === 'boolean' ? hasher(JSON.stringify(value)) : REDACTED
  }

  /**
   * Takes a route that the server has. What takes a request may be another one, or none: the wildcard by which CORS
   * answers `OPTIONS /reset/abc`, a 404 for a wrong method. The token in it is the same.
   */
  addRoute(pattern: string): void {
    const params = this.paramsOf(pattern)
    if (params !== null && !this.secretRoutes.includes(params)) this.secretRoutes.push(params)
  }

  /** The URL as the client sent it, without secrets; when redaction fails, nothing of it, and it is marked as omitted. */
  endpoint(url: string, route: string | undefined, changes: RedactionReport): string {
    const params = this.redactParamsOf(route)
    if (params === null && this.isHarmless(url)) return url
    const known = params === null ? undefined : new KnownSecrets()
    const clean = this.guarded('request.endpoint', null, changes, (search) => redactUrl(url, params, search, known))
    if (known === undefined || clean === url) return clean
    const end = endOfPath(clean)
    // The path is clean, and the query may name what was in it.
    const whole = clean.slice(0, end) + known.redact(clean.slice(end))
    known.add(url, whole)
    known.add(url.slice(0, endOfPath(url)), clean.slice(0, end))
    changes.known = known
    return whole
  }

  /** Running text, such as an error's message, without secrets; when redaction fails, nothing of it, as in `endpoint`. */
  text(text: string, path: string, changes: RedactionReport, marks: ReadonlySet<string> | null = null): string {
    let searched = withoutKnown(text, changes)
    if (searched.length > LONGEST_TEXT) {
      searched = searched.slice(0, endOfWords(searched, LONGEST_TEXT))
      changes.markTruncated(path, Buffer.byteLength(text), Buffer.byteLength(searched))
    }
    return cuesOf(searched) === 0 ? searched : this.guarded(path, marks, changes, (search) => search.text(searched))
  }

  /**
   * One text among others, such as a value in a body or a header, without its secrets. Throws when redaction fails: who
   * writes the part that it belongs to knows what to leave out.
   */
  value(text: string, changes: RedactionReport, marks: ReadonlySet<string> | null = null): string {
    const named = withoutKnown(text, changes)
    const cues = cuesOf(named)
    if (cues === 0 || (cues === KEY && !namesSecret(named, this, marks))) return named
    const search = new Search(this, marks)
    const clean = search.text(named)
    changes.redacted += search.found
    return clean
  }

  /** Whether a number, which is no text to be searched, is a card's. */
  isCard(value: number | bigint): boolean {
    return value >= SMALLEST_CARD && isCard(String(value))
  }

  private isHarmless(url: string): boolean {
    try {
      return (cuesOf(url) & ~KEY) === 0 && isHarmless(url, this)
    } catch {
      // The search will fail for the same reason, and says so.
      return false
    }
  }

  /** How the path of a request of a route is redacted, or of one that no route took: by the routes that it may have meant. */
  private redactParamsOf(route: string | undefined): RedactParams | null {
    const params = route === undefined ? null : this.paramsOf(route)
    if (params !== null) return (path, replace) => redactParams(path, params, replace)
    const { secretRoutes } = this
    if (secretRoutes.length === 0 || (route !== undefined && !route.endsWith('*'))) return null
    return (path, replace) => redactUnrouted(path, secretRoutes, replace)
  }

  private paramsOf(route: string): RouteParams | null {
    let params = this.params.get(route)
    if (params === undefined) {
      params = routeParams(route, (name) => this.secrecyOf(name))
      this.params.set(route, params)
    }
    return params
  }

  /** Whatever goes wrong in a search, for a reason that nobody has thought of, must neither lose the record nor leak. */
  private guarded(
    path: string,
    marks: ReadonlySet<string> | null,
    changes: RedactionReport,
    redact: (search: Search) => string,
  ): string {
    const search = new Search(this, marks)
    try {
      const clean = redact(search)
      changes.redacted += search.found
      return clean
    } catch {
      changes.markOmitted(path, 'redaction failed')
      return OMITTED
    }
  }
}

function hasherOf({ mode, secret, keyId }: RedactSettings): Hasher | null {
  return mode === 'hmac' && secret !== undefined ? (text) => hash(text, secret, keyId) : null
}

function withoutKnown(text: string, changes: RedactionReport): string {
  const { known } = changes
  const clean = known === undefined ? text : known.redact(text)
  if (clean !== text) changes.redacted++
  return clean
}

/** Where the last word before `limit` begins, for it may be a part of a secret; digits and their gaps are one word. */
export function endOfWords(text: string, limit: number): number {
  let end = limit
  while (end > 0 && !/\s/.test(text.charAt(end - 1))) end--
  while (end > 0 && /[\d\s+-]/.test(text.charAt(end - 1))) end--
  return end
}
