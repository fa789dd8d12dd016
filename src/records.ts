import type { FastifyRequest } from 'fastify'
import { Annotations } from './annotations.js'
import type { Auditor } from './auditor.js'
import { Changes } from './changes.js'
import type { Draft } from './entry.js'
import type { Stage } from './event.js'
import { readRequest } from './facts.js'
import { ANONYMOUS_AUTH, writeCorrection, writePayload, writeRequest, writeResponse } from './formats/json.js'
import type { Who } from './identity.js'
import { toIsoTime } from './time.js'

/** What one exchange's records say: the parts that both stages share are written once, when it begins. */
export class Records {
  private readonly startedAt: number
  private readonly timestamp: string
  private readonly changes = new Changes()
  private readonly request: string
  private auth: string
  private hasAuthChanged = false
  private annotations: Annotations | null = null

  constructor(
    private readonly id: string,
    private readonly auditor: Auditor,
    private readonly who: Who,
    private readonly fastifyRequest: FastifyRequest,
    route: string | undefined,
  ) {
    this.startedAt = auditor.clock.monotonic()
    this.timestamp = toIsoTime(auditor.clock.now())
    this.auth = who.auth(fastifyRequest, this.changes)
    this.request = writeRequest(readRequest(fastifyRequest, route, who.namespaceOf(fastifyRequest)), this.changes)
  }

  annotate(values: Readonly<Record<string, unknown>>): void {
    this.annotations ??= new Annotations(this.changes)
    this.annotations.add(values)
  }

  received(): Draft {
    return this.stage('OperationReceived', '')
  }

  complete(statusCode: number | undefined, error: string | undefined, aborted: boolean): Draft {
    this.settleIdentity()
    const duration = this.auditor.clock.monotonic() - this.startedAt
    const response = writeResponse({ statusCode, error, aborted, duration }, this.changes)
    const annotations = this.annotations === null ? '' : `,"annotations":${this.annotations.toJson()}`
    const authChanged = this.hasAuthChanged ? ',"auth_changed":true' : ''
    return this.stage('OperationComplete', `,${response}${annotations}${authChanged}`)
  }

  correction(statusCode: number, error: string | undefined): Draft {
    const { auditor, id, changes } = this
    return auditor.draft(writeCorrection(id, toIsoTime(auditor.clock.now()), statusCode, error, changes))
  }

  private stage(stage: Stage, rest: string): Draft {
    const { id, timestamp, auth, request, changes } = this
    const isAscii = changes.isAscii && this.annotations === null
    return this.auditor.draft(writePayload(stage, id, timestamp, auth, request, rest, changes), isAscii)
  }

  /** Anonymous may become known, when authentication ran after Received; one identity never becomes another. */
  private settleIdentity(): void {
    const { who } = this
    if (who.knowsNobody) return
    const auth = who.auth(this.fastifyRequest, this.changes)
    if (auth === this.auth || auth === ANONYMOUS_AUTH) return
    if (this.auth === ANONYMOUS_AUTH) this.auth = auth
    else {
      this.hasAuthChanged = true
      who.counts.authChanged++
    }
  }
}
