import { newEventId } from '../event/event-id.js'
import { flat } from '../event/flat.js'

/** What a handler knows of its own request's audit: `request.audit`. */
export interface RequestAudit {
  /** The id that both records carry; minted by the server. */
  readonly id: string
  /**
   * Adds to this request's `OperationComplete`, the values of secret keys redacted: by default at most 16 keys and 4 KiB in
   * all (`capture.maxAnnotations`, `capture.maxAnnotationBytes`). What is too long is cut, and the record names it.
   *
   * False if something was cut or left out, if it is too late, or if the request is not audited.
   *
   * @example
   * ```ts
   * import Fastify from 'fastify'
   * import audit from 'fastify-audit-log'
   *
   * const app = Fastify()
   * await app.register(audit)
   * app.post('/orders', async (request) => {
   *   request.audit.annotate({ order: '42' })
   *   return { ok: true }
   * })
   * ```
   */
  annotate(values: Readonly<Record<string, unknown>>): boolean
}

/** Stands for a request that no exchange follows: not yet, or not at all. */
export class DetachedAudit implements RequestAudit {
  readonly id = flat(newEventId())
  private readonly early: Array<Readonly<Record<string, unknown>>> = []
  private exchange: RequestAudit | null = null

  constructor(private readonly isExcluded: boolean) {}

  annotate(values: Readonly<Record<string, unknown>>): boolean {
    if (this.exchange !== null) return this.exchange.annotate(values)
    if (!this.isExcluded) this.early.push(values)
    return !this.isExcluded
  }

  /** Hands over what came before the exchange began. */
  attach(exchange: RequestAudit): void {
    this.exchange = exchange
    for (const values of this.early) exchange.annotate(values)
  }
}

/** What a handler is given of an exchange: nothing else of it can be called, or printed. */
export function followedAudit(exchange: RequestAudit): RequestAudit {
  return {
    /** A copy, for it may be kept for long: the id itself is a part of a text of many. */
    get id() {
      return flat(exchange.id)
    },
    annotate: (values) => exchange.annotate(values),
  }
}
