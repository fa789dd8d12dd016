import { isUtf8 } from 'node:buffer'
import { types } from 'node:util'
import { parseJson } from '../../json.js'
import type { ChangeReport } from '../../redact/change-report.js'
import { RedactedJson } from '../../redact/redacted-json.js'
import { isStream } from '../../redact/safe-inspect.js'
import { quote } from '../bounded-text.js'
import { type BodyKind, kindOf, mediaTypeOf } from './media-type.js'

/** Facts about a body beside its content. */
export interface BodyFacts {
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
  /** Its size on the wire. */
  readonly bytes: number | undefined
}

/** The path of a body in an event. */
export type BodyPath = 'request.body' | 'response.body'

/**
 * A text is read whole, so that what is secret is found before anything is cut, but only up to this many times the size
 * that is kept, and always up to this many bytes. Bodies are read one after another: that memory is needed once.
 */
const READ_FOR_KEPT = 4
const ALWAYS_READ = 65_536

/** Writes one body as JSON, or '' if there is no body or it was left out (and marked). */
export class BodyWriter {
  private readonly mediaType: string | undefined
  private readonly kind: BodyKind
  private readonly isEncoded: boolean

  constructor(
    private readonly path: BodyPath,
    private readonly maxBytes: number,
    private readonly facts: BodyFacts,
    private readonly marks: ReadonlySet<string> | null,
    private readonly changes: ChangeReport,
  ) {
    this.mediaType = mediaTypeOf(facts.contentType)
    this.kind = kindOf(this.mediaType)
    const encoding = facts.contentEncoding?.trim().toLowerCase() ?? ''
    this.isEncoded = encoding !== '' && encoding !== 'identity'
  }

  /** Writes what a parser made of a request's body. */
  parsed(body: unknown): string {
    if (this.kind === 'multipart') return this.facts.bytes === 0 ? '' : this.leftOut('multipart')
    if (body === undefined) return ''
    if (body === null || body === '') return this.kind === 'json' ? this.value(body) : ''
    if (typeof body === 'string') return this.parsedText(body)
    if (typeof body !== 'object' || types.isProxy(body)) return this.value(body)
    if (ArrayBuffer.isView(body)) return this.bytes(body)
    return isStream(body) ? this.leftOut('stream') : this.value(body)
  }

  /** Writes what is sent to the client. */
  sent(payload: unknown): string {
    if (payload === undefined || payload === null || payload === '') return ''
    if (typeof payload === 'string') {
      return this.isEncoded ? this.leftOut('compressed', Buffer.byteLength(payload)) : this.text(payload)
    }
    return ArrayBuffer.isView(payload) ? this.bytes(payload) : this.leftOut('stream')
  }

  /**
   * A text, which is a JSON value that was a string, or a document that a parser of the application handed on as it
   * was.
   */
  private parsedText(text: string): string {
    // A hook that decompresses a request may leave the header in place.
    if (this.isEncoded && text.includes('\ufffd')) return this.leftOut('compressed', Buffer.byteLength(text))
    return this.kind === 'json' && !looksStructured(text) ? this.value(text) : this.text(text)
  }

  private bytes(body: ArrayBufferView): string {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    const { length } = bytes
    if (length === 0) return ''
    if (this.isEncoded) return this.leftOut('compressed', length)
    if (this.kind === 'multipart') return this.leftOut('multipart', length)
    if (this.kind === 'other' || this.mediaType === undefined) return this.leftOut('binary', length)
    if (length > this.readable) return this.leftOut('too large', length)
    return isUtf8(bytes) ? this.text(bytes.toString()) : this.leftOut('not text', length)
  }

  private text(text: string): string {
    const { kind } = this
    if (kind === 'multipart' || kind === 'other') return this.leftOut(kind, Buffer.byteLength(text))
    if (text.length > this.readable) return this.leftOut('too large', Buffer.byteLength(text))
    if (kind === 'form') return this.value(parseForm(text), text)
    // Much JSON goes by the name of plain text, and as JSON no disguise of a key helps.
    const value = kind === 'json' || looksStructured(text) ? parseJson(withoutMark(text)) : undefined
    if (value !== undefined) return this.value(value, text)
    return kind === 'json' ? this.leftOut('not JSON', Buffer.byteLength(text)) : this.running(text)
  }

  /** `text` is what the value was parsed of here, when it was. */
  private value(value: unknown, text?: string): string {
    const { path, changes } = this
    const writer = new RedactedJson(this.maxBytes, changes, this.marks)
    const json = writer.write(value, text !== undefined)
    if (writer.isCut) {
      const bytes = this.facts.bytes ?? (text === undefined ? writer.walked : Buffer.byteLength(text))
      changes.markTruncated(path, bytes, writer.kept)
    }
    if (writer.leftOut > 0) changes.markOmitted(`${path}.*`, `too long; ${writer.leftOut} texts`)
    return json
  }

  /** Running text; what is kept of it is marked in bytes of the text itself. */
  private running(text: string): string {
    const { path, changes, facts } = this
    const clean = changes.redactor.text(text, path, changes, this.marks)
    const json = quote(clean, this.maxBytes - 2, path, changes)
    const kept = changes.truncated?.[path]?.kept
    if (kept !== undefined) changes.markTruncated(path, facts.bytes ?? Buffer.byteLength(text), kept)
    return json
  }

  /** The size is the one on the wire, where it is known. */
  private leftOut(why: string, bytes?: number): '' {
    const size = this.facts.bytes ?? bytes
    const parts = [why]
    if (this.mediaType !== undefined) parts.push(this.mediaType)
    if (size !== undefined) parts.push(`${size} bytes`)
    this.changes.markOmitted(this.path, parts.join('; '))
    return ''
  }

  private get readable(): number {
    return Math.max(this.maxBytes * READ_FOR_KEPT, ALWAYS_READ)
  }
}

/** Tells whether a text, if it is JSON, must be an array or an object. */
function looksStructured(text: string): boolean {
  return /^[\s\ufeff]*[[{]/.test(text)
}

/** Removes the byte order mark, which some programs put before UTF-8. */
function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text
}

/** A form's fields; a key that comes more than once has all its values. */
function parseForm(text: string): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = Object.create(null)
  for (const [key, value] of new URLSearchParams(text)) {
    const before = fields[key]
    if (before === undefined) fields[key] = value
    else if (typeof before === 'string') fields[key] = [before, value]
    else before.push(value)
  }
  return fields
}
