import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { types } from 'node:util'
import type { FastifyRequest } from 'fastify'
import { ChangeReport } from '../redact/change-report.js'
import type { Redactor } from '../redact/redactor.js'
import type { Marks } from '../redact/schema-marks.js'
import type { Annotations } from './content/annotations.js'
import type { Capture } from './content/capture.js'
import type { Draft } from './draft.js'
import type { Envelope } from './envelope.js'
import type { Stage } from './event.js'
import { type Stamp, writeCorrection, writePayload } from './formats/json.js'
import type { RequestWriter } from './formats/json-request.js'
import { writeResponse } from './formats/json-response.js'
import type { IdentityResolver } from './identity.js'
import { type Level, REQUEST, RESPONSE } from './level.js'
import { bodyFacts, type ReplyFacts } from './reply-facts.js'

/** What the records of all exchanges of one server have in common. */
export interface EventContext {
  readonly envelope: Envelope
  readonly requests: RequestWriter
  readonly who: IdentityResolver
  readonly redactor: Redactor
  readonly capture: Capture
  /** Names of fields that the schema of a request's route marks as secret. */
  marksOf(request: FastifyRequest): Marks
}

/** What one exchange's records say: the parts that both stages share are written once, when it begins. */
export class EventBuilder {
  private readonly startedAt: number
  private readonly stamp: Stamp
  private readonly changes: ChangeReport
  private request: string
  private auth: string
  private hasAuthChanged = false
  private annotations: Annotations | null = null
  /** There is a body that the level asks for, and nobody has shown it yet. */
  private isBodyMissing = false

  constructor(
    readonly id: string,
    private readonly context: EventContext,
    private readonly fastifyRequest: FastifyRequest,
    private readonly level: Level,
    route: string | undefined,
    namespace: string | undefined,
  ) {
    const { envelope, who, requests, redactor } = context
    this.changes = new ChangeReport(redactor)
    this.startedAt = envelope.clock.monotonic()
    this.stamp = envelope.stamp
    this.auth = who.auth(fastifyRequest, this.changes)
    this.request = requests.write(fastifyRequest, route, namespace ?? who.namespaceOf(fastifyRequest), this.changes)
    if (level >= REQUEST) this.beginCapture()
  }

  /** Whether Received waits until the request's body is parsed. */
  get awaitsBody(): boolean {
    return this.isBodyMissing
  }

  /** Whether Complete holds the reply's headers and body. */
  get capturesReply(): boolean {
    return this.level === RESPONSE
  }

  /** The request's body is parsed, and no validation has changed it yet. */
  captureBody(): void {
    const { capture } = this.context
    const { body, headers } = this.fastifyRequest
    // What a hook has decompressed already arrives as text or as an object.
    const encoding = types.isUint8Array(body) ? headers['content-encoding'] : undefined
    const facts = bodyFacts(headers['content-type'], encoding, headers['content-length'])
    this.extendRequest(capture.requestBody(body, facts, this.context.marksOf(this.fastifyRequest), this.changes))
    // Which methods' bodies are left alone, `addHttpMethod` may have changed.
    this.isBodyMissing = body === undefined && this.changes.omitted?.['request.body'] === undefined
  }

  /** False if something was cut or left out. */
  annotate(values: Readonly<Record<string, unknown>>): boolean {
    this.annotations ??= this.context.capture.annotations(this.changes)
    return this.annotations.add(values)
  }

  received(): Draft {
    if (this.isBodyMissing) this.changes.markOmitted('request.body', 'not parsed')
    return this.stage('OperationReceived', '')
  }

  complete(statusCode: number | undefined, error: string | undefined, aborted: boolean, reply?: ReplyFacts): Draft {
    this.settleIdentity()
    const duration = this.context.envelope.clock.monotonic() - this.startedAt
    let response = writeResponse({ statusCode, error, aborted, duration }, this.changes)
    if (reply !== undefined) response = extend(response, this.captureReply(statusCode, reply))
    const annotations = this.annotations === null ? '' : this.writeAnnotations(this.annotations)
    const authChanged = this.hasAuthChanged ? ',"auth_changed":true' : ''
    return this.stage('OperationComplete', `${response}${annotations}${authChanged}`)
  }

  correction(statusCode: number, error: string | undefined): Draft {
    const { envelope } = this.context
    return envelope.draft(writeCorrection(this.id, envelope.time, statusCode, error, this.changes))
  }

  private beginCapture(): void {
    const { capture, redactor } = this.context
    const { headers } = this.fastifyRequest
    this.extendRequest(capture.headers('request', headers, this.changes))
    this.isBodyMissing = hasBody(this.fastifyRequest.raw) && !redactor.omits('request.body')
  }

  private captureReply(statusCode: number | undefined, reply: ReplyFacts): string {
    const { capture } = this.context
    const headers = capture.headers('response', reply.headers, this.changes)
    if (statusCode === 204 || statusCode === 304 || this.fastifyRequest.method === 'HEAD') return headers
    if (!reply.isStream) {
      return headers + capture.responseBody(reply.body, reply, this.context.marksOf(this.fastifyRequest), this.changes)
    }
    if (!this.changes.redactor.omits('response.body')) this.changes.markOmitted('response.body', 'stream')
    return headers
  }

  private writeAnnotations(annotations: Annotations): string {
    return this.context.redactor.omits('annotations') ? '' : `,"annotations":${annotations.toJson()}`
  }

  private extendRequest(json: string): void {
    this.request = extend(this.request, json)
  }

  private stage(stage: Stage, rest: string): Draft {
    const { id, stamp, auth, request, changes } = this
    const isAscii = changes.isAscii && this.annotations === null && this.level < REQUEST
    return this.context.envelope.draft(writePayload({ id, stage, stamp, auth, request, rest }, changes), isAscii)
  }

  /** Anonymous may become known, when authentication ran after Received; one identity never becomes another. */
  private settleIdentity(): void {
    const { who } = this.context
    if (who.knowsNobody) return
    const auth = who.auth(this.fastifyRequest, this.changes)
    if (auth === this.auth || auth === who.anonymous) return
    if (this.auth === who.anonymous) this.auth = auth
    else {
      this.hasAuthChanged = true
      who.counts.authChanged++
    }
  }
}

/** HTTP/1 says so in its headers; HTTP/2 need not, but its stream knows. */
function hasBody(raw: IncomingMessage | Http2ServerRequest): boolean {
  const length = raw.headers['content-length']
  if (length !== undefined) return length !== '0'
  return 'stream' in raw ? !raw.stream.endAfterHeaders : raw.headers['transfer-encoding'] !== undefined
}

/** An object's members, followed by more. */
function extend(object: string, members: string): string {
  return members === '' ? object : `${object.slice(0, -1)}${members}}`
}
