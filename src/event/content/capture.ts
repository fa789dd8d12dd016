import { quoteWhole } from '../../json.js'
import { type ChangeReport, guarded } from '../../redact/change-report.js'
import { LONGEST_TEXT } from '../../redact/limits.js'
import type { Marks } from '../../redact/schema-marks.js'
import { quote } from '../bounded-text.js'
import { headerText } from '../header-text.js'
import { BOUNDS } from '../limits.js'
import { Annotations } from './annotations.js'
import { type BodyFacts, type BodyPath, BodyWriter } from './body.js'
import { ChangeList } from './changes.js'

export type { BodyFacts } from './body.js'

/** The marks of a schema that cannot be read. */
const UNKNOWN = 'unknown'

/** The parts of headers and bodies that an event may hold. */
export interface CaptureSettings {
  readonly maxBodyBytes: number
  /** In lower case. */
  readonly requestHeaders: readonly string[]
  readonly responseHeaders: readonly string[]
  readonly maxAnnotations: number
  readonly maxAnnotationBytes: number
  readonly maxChanges: number
  readonly maxChangesBytes: number
}

/** Writes the parts of an event that the client or the handler chose: redacts first, then cuts. */
export class Capture {
  constructor(private readonly settings: CaptureSettings) {}

  /** Returns `,"headers":{…}` of the captured headers, or '' if there are none. */
  headers(side: 'request' | 'response', headers: Readonly<Record<string, unknown>>, changes: ChangeReport): string {
    if (changes.redactor.omits(`${side}.headers`)) return ''
    const { requestHeaders, responseHeaders } = this.settings
    const parts: string[] = []
    for (const name of side === 'request' ? requestHeaders : responseHeaders) {
      if (parts.length === BOUNDS.headers) break
      const path = `${side}.headers.${name}`
      const part = guarded(path, changes, () => writeHeader(name, joined(headers[name]), path, changes))
      if (part !== '') parts.push(part)
    }
    return parts.length === 0 ? '' : `,"headers":{${parts.join(',')}}`
  }

  /** Returns `,"body":…` of what Fastify parsed, or '' if there is no body or it was left out (and marked). */
  requestBody(body: unknown, facts: BodyFacts, marks: Marks, changes: ChangeReport): string {
    const path = 'request.body'
    if (changes.redactor.omits(path)) return ''
    if (marks === UNKNOWN) return body === undefined ? '' : leaveOut(path, changes)
    return member(
      changes,
      guarded(path, changes, () => this.writer(path, facts, marks, changes).parsed(body)),
    )
  }

  /** Returns `,"body":…` of what the handler sent, as an `onSend` hook sees it, or '' as for a request. */
  responseBody(payload: unknown, facts: BodyFacts, marks: Marks, changes: ChangeReport): string {
    const path = 'response.body'
    if (changes.redactor.omits(path)) return ''
    if (marks === UNKNOWN) return isEmpty(payload) ? '' : leaveOut(path, changes)
    return member(
      changes,
      guarded(path, changes, () => this.writer(path, facts, marks, changes).sent(payload)),
    )
  }

  /** `path`: where they stand in the payload. */
  annotations(changes: ChangeReport, path?: string): Annotations {
    const { maxAnnotations, maxAnnotationBytes } = this.settings
    return new Annotations(changes, { maxKeys: maxAnnotations, maxBytes: maxAnnotationBytes }, path)
  }

  changes(changes: ChangeReport): ChangeList {
    const { maxChanges, maxChangesBytes } = this.settings
    return new ChangeList(changes, { maxChanges, maxBytes: maxChangesBytes })
  }

  private writer(
    path: BodyPath,
    facts: BodyFacts,
    marks: ReadonlySet<string> | null,
    changes: ChangeReport,
  ): BodyWriter {
    return new BodyWriter(path, this.settings.maxBodyBytes, facts, marks, changes)
  }
}

function isEmpty(payload: unknown): boolean {
  return payload === undefined || payload === null || payload === ''
}

/** Leaves out a body whose schema cannot be read: its marks of secret keys are unknown. */
function leaveOut(path: BodyPath, changes: ChangeReport): '' {
  changes.markOmitted(path, 'schema unknown')
  return ''
}

function member(changes: ChangeReport, json: string): string {
  if (json === '') return ''
  if (Buffer.byteLength(json) !== json.length) changes.isAscii = false
  return `,"body":${json}`
}

function writeHeader(name: string, sent: string | undefined, path: string, changes: ChangeReport): string {
  if (sent === undefined) return ''
  const value = headerText(sent)
  const { redactor } = changes
  const secrecy = redactor.secrecyOf(name)
  if (secrecy > 0) {
    changes.redacted++
    return `${quoteWhole(name)}:${quoteWhole(redactor.replacement(value, secrecy))}`
  }
  if (value.length > LONGEST_TEXT) {
    changes.markOmitted(path, `too long; ${Buffer.byteLength(value)} bytes`)
    return ''
  }
  return `${quoteWhole(name)}:${quote(redactor.value(value, changes), BOUNDS.headerValue, path, changes)}`
}

function joined(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  if (!Array.isArray(value)) return undefined
  return value.filter((item) => typeof item === 'string' || typeof item === 'number').join(', ')
}
