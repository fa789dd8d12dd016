/** Counts over all exchanges since the boot. */
export interface ExchangeCounts {
  /** Requests that at least one sink records. */
  audited: number
  /** Requests that no sink records: because of filters, of `only`, or of a route's `config.audit`. */
  excluded: number
  /** Requests and actions that no enforced sink records, although every enforced sink has `only`. */
  unclaimed: number
  /** Requests answered with 503 instead of running the handler. */
  refused: number
  /** Requests answered with 500 instead of the handler's reply. */
  withheld: number
  /** Requests recorded with one status and answered with another; a correction followed. */
  corrected: number
  /** Requests whose client was gone before the reply. */
  aborted: number
  /** Replies whose end was recorded: long ones, and those that broke after Complete. */
  ended: number
  /** Calls of `request.audit.annotate` that came after the reply had ended. */
  annotationsTooLate: number
  /** Requests to which a hook registered before this plugin replied. */
  repliedBeforePlugin: number
  /** Events and work beside requests. */
  actions: number
  /** Events and work that were rejected because they could not be recorded; the work did not begin. */
  actionsNotRecorded: number
  /** Work whose result was withheld because its end could not be recorded. */
  actionsWithheld: number
}

/** Counts the outcomes of exchanges. */
export class ExchangeCounter {
  private readonly counts: ExchangeCounts = {
    audited: 0,
    excluded: 0,
    unclaimed: 0,
    refused: 0,
    withheld: 0,
    corrected: 0,
    aborted: 0,
    ended: 0,
    annotationsTooLate: 0,
    repliedBeforePlugin: 0,
    actions: 0,
    actionsNotRecorded: 0,
    actionsWithheld: 0,
  }

  /** Adds one, and returns the new count. */
  add(kind: keyof ExchangeCounts): number {
    return ++this.counts[kind]
  }

  all(): ExchangeCounts {
    return { ...this.counts }
  }
}
