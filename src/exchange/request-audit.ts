import { newEventId } from '../event/event-id.js'
import { flat } from '../event/flat.js'

/** Interface of `request.audit`, for handlers and hooks. */
export interface RequestAudit {
  /** Id that both records carry; created by the server. */
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

/** Implements `request.audit` for a request that is excluded, or whose exchange has not begun. */
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

  /** Passes earlier annotations on to the exchange. */
  attach(exchange: RequestAudit): void {
    this.exchange = exchange
    for (const values of this.early) exchange.annotate(values)
  }
}

/** Wraps an exchange for the handler, so that its other methods and fields cannot be called or printed. */
export function followedAudit(exchange: RequestAudit): RequestAudit {
  return {
    /** Copies the id: it is a slice of a longer string, which would stay in memory as long as the id is kept. */
    get id() {
      return flat(exchange.id)
    },
    annotate: (values) => exchange.annotate(values),
  }
}
