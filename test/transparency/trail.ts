import type { FastifyInstance } from 'fastify'
import type { AuditEntry } from '../../src/index.js'

/** The trail of one server, followed from one program to the next. */
export class TrailCheck {
  /** Exchanges whose Complete has not come: the client is gone, and nobody knows yet whether the handler will end. */
  private readonly unfinished = new Set<string>()

  constructor(
    private readonly app: FastifyInstance,
    private readonly stored: AuditEntry[],
  ) {}

  /** What is wrong with what was stored since the last time, of a request whose client got this status, if any. */
  async check(status: number | undefined): Promise<string[]> {
    await this.app.audit.flush()
    const mistakes: string[] = []
    let received: string | undefined
    let recorded: number | undefined
    for (const { event } of this.stored.splice(0)) {
      const { payload } = event
      if (payload.type === 'correction') mistakes.push(`a correction to ${payload.correction?.status_code}`)
      if (payload.type !== 'audit') continue
      if (payload.stage === 'OperationReceived') {
        if (received !== undefined) mistakes.push('a second Received')
        received = payload.id
        this.unfinished.add(received)
      } else {
        if (!this.unfinished.delete(payload.id)) mistakes.push('a Complete without Received, or a second one')
        if (payload.id === received) recorded = payload.response?.status_code ?? 0
      }
    }
    if (received === undefined) mistakes.push('no Received')
    if (status !== undefined && recorded !== status) mistakes.push(`${status} was sent, and recorded ${recorded}`)
    return mistakes
  }

  /** What came since then: late ends of exchanges whose client was gone. */
  takeLate(): string[] {
    const mistakes: string[] = []
    for (const { event } of this.stored.splice(0)) {
      const { payload } = event
      if (payload.type === 'audit' && !this.unfinished.delete(payload.id)) mistakes.push(`a second ${payload.stage}`)
    }
    return mistakes
  }

  /** What has no Complete, once the server is closed. */
  end(): string[] {
    return [...this.takeLate(), ...Array.from(this.unfinished, (id) => `${id} has no Complete`)]
  }
}
