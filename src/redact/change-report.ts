import type { RedactionReport, Redactor } from './redactor.js'

/**
 * Collects what was changed in an event on its way into a line, in bytes of the values themselves. The line says so.
 */
export class ChangeReport implements RedactionReport {
  truncated: Record<string, { bytes: number; kept: number }> | undefined
  omitted: Record<string, string> | undefined
  redacted = 0
  /** The secrets in the request's URL that are told by their position, if there are any. */
  known: RedactionReport['known']
  /** True while everything quoted is ASCII, so that a text's length is its size in bytes. */
  isAscii = true

  constructor(
    /** The redactor to apply. */
    readonly redactor: Redactor,
  ) {}

  /** True while nothing was changed and everything quoted is ASCII. */
  get isUntouched(): boolean {
    return this.isAscii && this.redacted === 0 && this.truncated === undefined && this.omitted === undefined
  }

  /** Begins a report for a part that may be left out as a whole. */
  ofPart(): ChangeReport {
    const part = new ChangeReport(this.redactor)
    part.known = this.known
    return part
  }

  markTruncated(path: string, bytes: number, kept: number): void {
    this.truncated ??= {}
    // A text may be cut twice, first to what is searched for secrets. Its size is the one before the first cut.
    this.truncated[path] = { bytes: Math.max(bytes, this.truncated[path]?.bytes ?? 0), kept }
  }

  /** Adds the report of a part. */
  add({ truncated, omitted, redacted }: ChangeReport): void {
    this.redacted += redacted
    for (const [path, { bytes, kept }] of Object.entries(truncated ?? {})) this.markTruncated(path, bytes, kept)
    for (const [path, reason] of Object.entries(omitted ?? {})) this.markOmitted(path, reason)
  }

  markOmitted(path: string, reason: string): void {
    this.omitted ??= {}
    this.omitted[path] = reason
  }
}

/** Writes one part. A failure costs the record that part alone, and the request nothing. */
export function guarded(path: string, changes: ChangeReport, write: () => string): string {
  try {
    return write()
  } catch {
    changes.markOmitted(path, 'redaction failed')
    return ''
  }
}
