import type { FastifyInstance } from 'fastify'
import type { AuditEntry } from '../../src/index.js'

interface Recorded {
  received: number
  completes: number
  status: number | undefined
}

/** The trail of one server, followed from one program to the next. */
export class TrailCheck {
  /** By id. An exchange that no reply ends is recorded when it is given up, much later. */
  private readonly exchanges = new Map<string, Recorded>()
  private readonly mistakes: string[] = []

  constructor(
    private readonly app: FastifyInstance,
    private readonly stored: AuditEntry[],
  ) {}

  /** What is wrong with the trail of an exchange whose client got this status, if any. */
  async check(id: string | undefined, status: number | undefined): Promise<string[]> {
    await this.app.audit.flush()
    this.read()
    const mistakes = this.mistakes.splice(0)
    if (status === undefined || id === undefined) return mistakes
    const exchange = this.exchanges.get(id)
    if (exchange === undefined || exchange.received === 0) mistakes.push(`${status} was sent without a Received`)
    else if (exchange.status !== status) mistakes.push(`${status} was sent, and recorded ${exchange.status}`)
    return mistakes
  }

  /** What is wrong with any of them, once the server is closed. */
  end(): string[] {
    this.read()
    for (const [id, { received, completes }] of this.exchanges) {
      if (received !== 1 || completes !== 1) this.mistakes.push(`${id}: ${received} Received, ${completes} Complete`)
    }
    return this.mistakes
  }

  private read(): void {
    for (const { event } of this.stored.splice(0)) {
      const { payload } = event
      if (payload.type === 'correction') this.mistakes.push(`a correction to ${payload.correction?.status_code}`)
      if (payload.type !== 'audit') continue
      const exchange = this.exchanges.get(payload.id) ?? { received: 0, completes: 0, status: undefined }
      this.exchanges.set(payload.id, exchange)
      if (payload.stage === 'OperationReceived') exchange.received++
      else {
        exchange.completes++
        exchange.status = payload.response?.status_code
      }
      if (exchange.received > 1 || exchange.completes > 1) this.mistakes.push(`a second ${payload.stage}`)
    }
  }
}
