/** What was counted over all exchanges since the boot. */
export interface ExchangeCounts {
  /** Requests that at least one sink records. */
  audited: number
  /** Requests that filters, or a route's `config.audit`, keep out of every sink. */
  excluded: number
  /** Answered with 503 instead of the handler. */
  refused: number
  /** Answered with 500 instead of the handler's reply. */
  withheld: number
  /** Recorded with one status and sent, or answered, with another: a correction followed. */
  corrected: number
  /** The client was gone before the reply. */
  aborted: number
  /** `request.audit.annotate` came after Complete was written. */
  annotationsTooLate: number
  /** A hook that was registered before this plugin replied. */
  repliedBeforePlugin: number
}

/** Counts what becomes of exchanges. */
export class ExchangeCounter {
  private readonly counts: ExchangeCounts = {
    audited: 0,
    excluded: 0,
    refused: 0,
    withheld: 0,
    corrected: 0,
    aborted: 0,
    annotationsTooLate: 0,
    repliedBeforePlugin: 0,
  }

  /** Counts one more, and returns how many there are now. */
  add(kind: keyof ExchangeCounts): number {
    return ++this.counts[kind]
  }

  all(): ExchangeCounts {
    return { ...this.counts }
  }
}
