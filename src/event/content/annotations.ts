import { ChangeReport, guarded } from '../../redact/change-report.js'
import { RedactedJson } from '../../redact/redacted-json.js'
import { ownValue } from '../../redact/safe-inspect.js'
import { BOUNDS } from '../limits.js'

const PATH = 'annotations'

/** One annotation as JSON. */
interface Part {
  json: string
  bytes: number
  redacted: number
}

/** What an application adds to the Complete of one exchange, as JSON that is bounded while it grows. */
export class Annotations {
  private readonly parts = new Map<string, Part>()
  private bytes = 2
  private dropped = 0
  /** Why something was left out whole. */
  private omitted: string | undefined

  constructor(private readonly changes: ChangeReport) {}

  /** A caller without types may give anything, and a Proxy may throw; neither costs the request anything. */
  add(values: Readonly<Record<string, unknown>>): void {
    try {
      this.addAll(values)
    } catch {
      this.omitted = 'not readable'
    }
  }

  private addAll(values: Readonly<Record<string, unknown>>): void {
    for (const key of Object.keys(values)) {
      const value = ownValue(values, key)
      if (value !== undefined) this.set(key, value)
    }
  }

  /** The object, once; what was changed in it is marked now, for Received has nothing of it. */
  toJson(): string {
    const { changes } = this
    if (this.dropped > 0) changes.markTruncated(PATH, this.bytes + this.dropped, this.bytes)
    if (this.omitted !== undefined) changes.markOmitted(PATH, this.omitted)
    const parts = [...this.parts.values()]
    for (const { redacted } of parts) changes.redacted += redacted
    return `{${parts.map(({ json }) => json).join(',')}}`
  }

  private set(key: string, value: unknown): void {
    const changes = new ChangeReport(this.changes.redactor)
    const writer = new RedactedJson(BOUNDS.annotations, changes)
    // A key that is computed is a key, `__proto__` too.
    const json = guarded(PATH, changes, () => writer.write({ [key]: value }).slice(1, -1))
    if (json === '') {
      this.omitted = changes.omitted?.[PATH]
      return
    }
    // With the comma before it.
    const part = { json, bytes: writer.kept - 1, redacted: changes.redacted }
    const old = this.parts.get(key)
    const bytes = this.bytes + part.bytes - (old?.bytes ?? 0)
    const isFull = old === undefined && this.parts.size === BOUNDS.annotationKeys
    if (isFull || writer.isCut || writer.leftOut > 0 || bytes > BOUNDS.annotations) this.dropped += writer.walked - 1
    else {
      this.parts.set(key, part)
      this.bytes = bytes
    }
  }
}
