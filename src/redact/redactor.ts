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
  'request.request_meta.trace',
  'request.node_meta.ip',
  'request.headers',
  'request.body',
  'response.error',
  'response.headers',
  'response.body',
  'annotations',
  'targets',
  'reason',
  'changes',
  'error',
] as const

/** A part of an event that can be left out. */
export type OmittablePath = (typeof OMITTABLE)[number]

/** The rules of redaction, with every option decided. */
export interface RedactSettings {
  /** Secret names of keys in addition to the built-in words. */
  readonly keys: readonly string[]
  readonly mode: 'mask' | 'hmac'
  /** The secret of the mode `hmac`: at least 32 bytes. */
  readonly secret: Uint8Array | undefined
  /** The name of the secret, which each hash carries. */
  readonly keyId: string
  readonly omit: readonly OmittablePath[]
}

/** The part of a report that redaction fills in. */
export interface RedactionReport {
  /** The number of redacted values. */
  redacted: number
  /** The secrets in the request's URL that are told by their position, if there are any. */
  known: KnownSecrets | undefined
  markTruncated(path: string, bytes: number, kept: number): void
  markOmitted(path: string, reason: string): void
}

const BUILT_IN: RedactSettings = { keys: [], mode: 'mask', secret: undefined, keyId: '', omit: [] }

/** Replaces a text whose redaction failed. */
const OMITTED = '[omitted]'

/** The smallest number of 13 digits. */
const SMALLEST_CARD = 1e12

/** Returns the keyed hash of a text. */
export type Hasher = (text: string) => string

/** Takes secrets out of everything that goes into a line, by the rules of one server. */
export class Redactor {
  private readonly omitted: ReadonlySet<string> | null
  private readonly keys: KeyIndex
  /** By the patterns of routes, whose number is bounded. */
  private readonly params = new Map<string, RouteParams | null>()
  private readonly secretRoutes: RouteParams[] = []

  constructor(
    settings: RedactSettings = BUILT_IN,
    private readonly hasher: Hasher | null = hasherOf(settings),
  ) {
    this.omitted = settings.omit.length === 0 ? null : new Set(settings.omit)
    this.keys = new KeyIndex(settings.keys)
  }

  /** Tells whether a part of every event is left out. */
  omits(path: OmittablePath): boolean {
    return this.omitted?.has(path) ?? false
  }

  /**
   * Tells how secret the value of a key is. `marks` are further secret names in the form of `normalKey`. A key is one
   * of them if its own form is, or that of a part of it (`user[ssn]`).
   */
  secrecyOf(key: string, marks: ReadonlySet<string> | null = null): Secrecy {
    return this.keys.secrecyOf(key, marks)
  }

  /** Tells whether an option names a key as secret. */
  isNamed(key: string): boolean {
    return this.keys.isNamed(key, null)
  }

  /** The same for one value. Booleans and null are not secret, unless an option or a mark names their key. */
  secrecyOfValue(key: string, value: unknown, marks: ReadonlySet<string> | null = null): Secrecy {
    const secrecy = this.secrecyOf(key, marks)
    if (secrecy === 0 || (value !== null && typeof value !== 'boolean')) return secrecy
    return this.keys.isNamed(key, marks) ? secrecy : 0
  }

  /** Returns a key's parts in the shapes of shapes.ts, as bits. */
  shapeOf(key: string): number {
    return this.keys.shapeOf(key)
  }

  /** Returns the key that a name stands for, if values of that key are secret. */
  secretName(name: unknown, marks: ReadonlySet<string> | null = null): string | undefined {
    return this.keys.secretName(name, marks)
  }

  /** Returns the literal of a key that makes no value secret. Nearly every key is one, and needs no other look-up. */
  plainKey(key: string, changes: RedactionReport, marks: ReadonlySet<string> | null): string | null {
    return changes.known === undefined && marks === null ? this.keys.plainLiteralOf(key) : null
  }

  /** Returns a key and its colon as JSON; null if something in the key may have to be redacted, escaped or cut. */
  keyLiteral(key: string, changes: RedactionReport): string | null {
    // A secret of the URL may also be in a key.
    return changes.known === undefined ? this.keys.literalOf(key) : null
  }

  /**
   * Returns the replacement of a secret: `[REDACTED]`, or in mode `hmac` the keyed hash of a text, or of the JSON of a
   * number or a boolean. Masked in either mode are passwords and the like, objects, lists, null, the empty text, and
   * what was redacted already.
   */
  replacement(value: unknown, secrecy: Secrecy): string {
    const { hasher } = this
    if (hasher === null || secrecy === 2 || value === '' || value === REDACTED) return REDACTED
    // Basic credentials hold a password.
    if (typeof value === 'string') return /^\s*basic\s/i.test(value) ? REDACTED : hasher(value)
    return typeof value === 'number' || typeof value === 'boolean' ? hasher(JSON.stringify(value)) : REDACTED
  }

  /**
   * Adds a route of the server. A request with its token may be taken by another route, or by none: by the wildcard
   * with which CORS answers `OPTIONS /reset/abc`, or by the 404 for a wrong method.
   */
  addRoute(pattern: string): void {
    const params = this.paramsOf(pattern)
    if (params !== null && !this.secretRoutes.includes(params)) this.secretRoutes.push(params)
  }

  /**
   * Returns the URL that the client sent, without secrets. If redaction fails, it is left out and marked as omitted.
   */
  endpoint(url: string, route: string | undefined, changes: RedactionReport): string {
    const params = this.redactParamsOf(route)
    if (params === null && this.isHarmless(url)) return url
    const known = params === null ? undefined : new KnownSecrets()
    const clean = this.guarded('request.endpoint', null, changes, (search) => redactUrl(url, params, search, known))
    if (known === undefined || clean === url) return clean
    const end = endOfPath(clean)
    // The query may repeat a secret of the path.
    const whole = clean.slice(0, end) + known.redact(clean.slice(end))
    known.add(url, whole)
    known.add(url.slice(0, endOfPath(url)), clean.slice(0, end))
    changes.known = known
    return whole
  }

  /**
   * Returns running text, such as an error's message, without secrets. If redaction fails, it is left out as in
   * `endpoint`.
   */
  text(text: string, path: string, changes: RedactionReport, marks: ReadonlySet<string> | null = null): string {
    let searched = withoutKnown(text, changes)
    if (searched.length > LONGEST_TEXT) {
      searched = searched.slice(0, endOfWords(searched, LONGEST_TEXT))
      changes.markTruncated(path, Buffer.byteLength(text), Buffer.byteLength(searched))
    }
    return cuesOf(searched) === 0 ? searched : this.guarded(path, marks, changes, (search) => search.text(searched))
  }

  /**
   * Returns one text among others, such as a value in a body or a header, without secrets. Throws if redaction fails,
   * so that the caller leaves out the part that the text belongs to.
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

  /** Tells whether a number is a card's. */
  isCard(value: number | bigint): boolean {
    return value >= SMALLEST_CARD && isCard(String(value))
  }

  private isHarmless(url: string): boolean {
    try {
      return (cuesOf(url) & ~KEY) === 0 && isHarmless(url, this)
    } catch {
      // The search fails for the same reason, and reports it.
      return false
    }
  }

  /** Chooses how a path is redacted: by its route, or, if no route took it, by all routes that it may have meant. */
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

  /** Redacts a part. An unforeseen failure must neither lose the record nor show a secret. */
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

/** Returns where the last word before `limit` begins: it may be a part of a secret. Digits with gaps are one word. */
export function endOfWords(text: string, limit: number): number {
  let end = limit
  while (end > 0 && !/\s/.test(text.charAt(end - 1))) end--
  while (end > 0 && /[\d\s+-]/.test(text.charAt(end - 1))) end--
  return end
}
