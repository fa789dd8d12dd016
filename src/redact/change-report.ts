import type { RedactionReport, Redactor } from './redactor.js'

/** What was changed in an event on its way into a line; the line says so, in bytes of the values themselves. */
export class ChangeReport implements RedactionReport {
  truncated: Record<string, { bytes: number; kept: number }> | undefined
  omitted: Record<string, string> | undefined
  redacted = 0
  /** What is secret in the request's URL by its position, when something is. */
  known: RedactionReport['known']
  /** Everything that was quoted so far is ASCII, so that its length is its size in bytes. */
  isAscii = true

  constructor(
    /** The redactor to apply. */
    readonly redactor: Redactor,
  ) {}

  /** Nothing was changed so far, and everything that was quoted is plain. */
  get isUntouched(): boolean {
    return this.isAscii && this.redacted === 0 && this.truncated === undefined && this.omitted === undefined
  }

  /** A report of its own for a part that may be left out. */
  ofPart(): ChangeReport {
    const part = new ChangeReport(this.redactor)
    part.known = this.known
    return part
  }

  markTruncated(path: string, bytes: number, kept: number): void {
    this.truncated ??= {}
    // Cut twice (first to what is searched for secrets), it was as long as it was at first.
    this.truncated[path] = { bytes: Math.max(bytes, this.truncated[path]?.bytes ?? 0), kept }
  }

  /** Takes over what a part says of itself. */
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

/** Whatever goes wrong with one part costs the record that part alone, and the request nothing. */
export function guarded(path: string, changes: ChangeReport, write: () => string): string {
  try {
    return write()
  } catch {
    changes.markOmitted(path, 'redaction failed')
    return ''
  }
}
