import type { ChangeReport } from '../redact/change-report.js'
import type { Annotations } from './content/annotations.js'
import type { Capture } from './content/capture.js'
import type { Draft } from './draft.js'
import type { Envelope } from './envelope.js'
import { type EndFacts, writeEnd } from './formats/json-end.js'

/** Parts that all end entries of one server share. */
export interface EndContext {
  readonly envelope: Envelope
  readonly capture: Capture
}

/** Builds the end entry of one reply. Holds nothing else of its exchange: a reply may run for days. */
export class EndBuilder {
  private annotations: Annotations | null = null

  constructor(
    private readonly context: EndContext,
    private readonly id: string,
    private readonly startedAt: number,
    private readonly changes: ChangeReport,
  ) {}

  /** True if something was annotated after Complete. */
  get isAnnotated(): boolean {
    return this.annotations !== null
  }

  /** Returns false if something was cut or left out. */
  annotate(values: Readonly<Record<string, unknown>>): boolean {
    this.annotations ??= this.context.capture.annotations(this.changes, 'end.annotations')
    return this.annotations.add(values)
  }

  /** Builds the entry; call it once. */
  build(facts: EndFacts): Draft {
    const { context, id, startedAt, changes, annotations } = this
    const { envelope } = context
    const duration = envelope.clock.monotonic() - startedAt
    const added = annotations === null || changes.redactor.omits('annotations') ? undefined : annotations.toJson()
    return envelope.draft(writeEnd(id, envelope.time, { ...facts, duration, annotations: added }, changes))
  }
}
