import type { FastifyInstance } from 'fastify'
import type { AuditEntry } from '../../src/index.js'
import type { Program } from './program.js'
import type { Run } from './run.js'

interface Recorded {
  received: number
  completes: number
  status: number | undefined
  /** Program of an exchange that had no end when the program ended. */
  program: Program | undefined
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

  /** Returns the mistakes in the trail of an exchange whose client got this status, if any. */
  async check({ auditId, program }: Run, status: number | undefined): Promise<string[]> {
    await this.app.audit.flush()
    this.read()
    const mistakes = this.mistakes.splice(0)
    if (auditId === undefined) return mistakes
    const exchange = this.at(auditId)
    if (exchange.completes === 0) exchange.program = program
    if (status === undefined) return mistakes
    if (exchange.received === 0) mistakes.push(`${status} was sent without a Received`)
    else if (exchange.status !== status) mistakes.push(`${status} was sent, and recorded ${exchange.status}`)
    return mistakes
  }

  /** Returns the mistakes of all exchanges after the server is closed. */
  end(): string[] {
    this.read()
    for (const { received, completes, program } of this.exchanges.values()) {
      if (received === 1 && completes === 1) continue
      this.mistakes.push(`${received} Received, ${completes} Complete: ${JSON.stringify(program)}`)
    }
    return this.mistakes
  }

  private read(): void {
    for (const { event } of this.stored.splice(0)) {
      const { payload } = event
      if (payload.type === 'correction') this.mistakes.push(`a correction to ${payload.correction?.status_code}`)
      if (payload.type !== 'audit') continue
      const exchange = this.at(payload.id)
      if (payload.stage === 'OperationReceived') exchange.received++
      else {
        exchange.completes++
        exchange.status = payload.response?.status_code
      }
      if (exchange.received > 1 || exchange.completes > 1) this.mistakes.push(`a second ${payload.stage}`)
    }
  }

  private at(id: string): Recorded {
    const known = this.exchanges.get(id)
    if (known !== undefined) return known
    const made = { received: 0, completes: 0, status: undefined, program: undefined }
    this.exchanges.set(id, made)
    return made
  }
}
