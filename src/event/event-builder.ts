import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { types } from 'node:util'
import type { FastifyRequest } from 'fastify'
import { ChangeReport } from '../redact/change-report.js'
import type { Redactor } from '../redact/redactor.js'
import type { Marks } from '../redact/schema-marks.js'
import type { ActionOrigin } from './action-builder.js'
import type { KnownAction } from './content/action-content.js'
import { Additions } from './content/additions.js'
import type { Capture } from './content/capture.js'
import type { Draft } from './draft.js'
import { EndBuilder } from './end-builder.js'
import type { Envelope } from './envelope.js'
import type { EventPayload, EventRequest, Stage } from './event.js'
import { flat } from './flat.js'
import { type Stamp, writeCorrection, writePayload } from './formats/json.js'
import { isOnBehalf } from './formats/json-auth.js'
import type { RequestWriter } from './formats/json-request.js'
import { writeResponse } from './formats/json-response.js'
import type { Caller, IdentityResolver } from './identity.js'
import { type Level, REQUEST, RESPONSE } from './level.js'
import type { Misuse } from './misuse.js'
import { outcomeOfStatus } from './outcome.js'
import { bodyFacts, type ReplyFacts } from './reply-facts.js'
import type { Vocabulary } from './vocabulary/vocabulary.js'

/** Parts that the records of all exchanges of one server share. */
export interface EventContext {
  readonly envelope: Envelope
  readonly requests: RequestWriter
  readonly who: IdentityResolver
  readonly redactor: Redactor
  readonly capture: Capture
  readonly misuse: Misuse
  readonly vocabulary: Vocabulary | null
  /** Names of fields that the schema of a request's route marks as secret. */
  marksOf(request: FastifyRequest): Marks
}

/** Facts about an exchange that are known when it begins. */
export interface Recorded {
  readonly id: string
  readonly level: Level
  readonly route: string | undefined
  readonly asked: AskedFacts
}

/** Facts that the policy may have asked for already; undefined: not yet. */
export interface AskedFacts {
  readonly namespace: string | undefined
  readonly caller?: Caller | undefined
}

/** Builds the records of one exchange; parts that both stages share are written once, when it begins. */
export class EventBuilder {
  private readonly startedAt: number
  private readonly stamp: Stamp
  private readonly changes: ChangeReport
  private request: string
  private auth: string
  /** The identity at the end if it is not the one at the start, as JSON. */
  private laterAuth = ''
  private added: Additions | null = null
  /** True while a body that the level asks for has not been captured. */
  private isBodyMissing = false

  readonly id: string
  private readonly level: Level

  constructor(
    private readonly context: EventContext,
    private readonly fastifyRequest: FastifyRequest,
    { id, level, route, asked }: Recorded,
  ) {
    this.id = id
    this.level = level
    const { envelope, who, requests, redactor } = context
    this.changes = new ChangeReport(redactor)
    this.startedAt = envelope.clock.monotonic()
    this.stamp = envelope.stamp
    const { caller, namespace } = asked
    this.auth = caller === undefined ? who.auth(fastifyRequest, this.changes) : who.authOfCaller(caller, this.changes)
    this.request = requests.write(fastifyRequest, route, namespace ?? who.namespaceOf(fastifyRequest), this.changes)
    if (level >= REQUEST) this.beginCapture()
  }

  /** True if Received waits until the request's body is parsed. */
  get awaitsBody(): boolean {
    return this.isBodyMissing
  }

  /** True if Complete holds the reply's headers and body. */
  get capturesReply(): boolean {
    return this.level === RESPONSE
  }

  /** Captures the request's body; call it after parsing and before validation changes the body. */
  captureBody(): void {
    const { capture } = this.context
    const { body, headers } = this.fastifyRequest
    // A body that a hook has decompressed arrives as text or as an object.
    const encoding = types.isUint8Array(body) ? headers['content-encoding'] : undefined
    const facts = bodyFacts(headers['content-type'], encoding, headers['content-length'])
    this.extendRequest(capture.requestBody(body, facts, this.context.marksOf(this.fastifyRequest), this.changes))
    // `addHttpMethod` may have changed which methods' bodies are parsed.
    this.isBodyMissing = body === undefined && this.changes.omitted?.['request.body'] === undefined
  }

  /** What the application adds to the records; created on first use. */
  get additions(): Additions {
    const { capture, misuse, vocabulary } = this.context
    this.added ??= new Additions(capture, misuse, this.changes, vocabulary)
    return this.added
  }

  /** Takes the action and the targets that the route declares. */
  declare({ action, targets }: { readonly action?: unknown; readonly targets?: unknown }): void {
    const { action: content } = this.additions
    if (action !== undefined) content.setName(action)
    if (typeof targets === 'function') content.takeTargets(() => targets(this.fastifyRequest))
  }

  /** The action as it is known by now, if it is one; with a status, how it ended. */
  knownAction(statusCode: number | undefined): KnownAction | null {
    return this.added?.hasAction === true ? this.added.action.known(outcomeOfStatus(statusCode)) : null
  }

  /** Facts that an action takes from this request if it happens in it: the actor as far as it is known by now. */
  get asOrigin(): ActionOrigin {
    const { who } = this.context
    const { id, fastifyRequest: request } = this
    const found = this.added?.identity
    const changes = new ChangeReport(this.context.redactor)
    const later = found === undefined ? who.auth(request, changes) : who.authOf(found, changes)
    const isKnown = this.auth !== who.anonymous && !isOnBehalf(this.auth, later)
    const { namespace, request_meta } = this.recordedRequest
    const { trace, traceparent } = request_meta
    return {
      auth: isKnown ? this.auth : later,
      namespace: namespace.id,
      parent: flat(id),
      traceparent: trace ?? traceparent,
      known: this.changes.known,
    }
  }

  received(): Draft {
    if (this.isBodyMissing) this.changes.markOmitted('request.body', 'not parsed')
    return this.stage('OperationReceived', this.added === null ? '' : this.added.begun())
  }

  complete(statusCode: number | undefined, error: string | undefined, aborted: boolean, reply?: ReplyFacts): Draft {
    this.settleIdentity()
    const duration = this.context.envelope.clock.monotonic() - this.startedAt
    let response = writeResponse({ statusCode, error, aborted, duration }, this.changes)
    if (reply !== undefined) response = extend(response, this.captureReply(statusCode, reply))
    const added = this.added === null ? '' : this.added.ended(outcomeOfStatus(statusCode))
    const authChanged = this.laterAuth === '' ? '' : `,"auth_changed":true,"auth_at_end":${this.laterAuth}`
    return this.stage('OperationComplete', `${response}${added}${authChanged}`)
  }

  correction(statusCode: number, error: string | undefined): Draft {
    const { envelope } = this.context
    return envelope.draft(writeCorrection(this.id, envelope.time, statusCode, error, this.changes))
  }

  /** Returns the builder of the entry that tells how a reply ended that goes on after its Complete. */
  end(): EndBuilder {
    return new EndBuilder(this.context, this.id, this.startedAt, this.changes.ofPart())
  }

  /** Frees the request's headers and body, which later records do not need. */
  forget(): void {
    if (this.level < REQUEST) return
    const { body: _, headers: __, ...request } = this.recordedRequest
    this.request = `,"request":${JSON.stringify(request)}`
  }

  private get recordedRequest(): EventRequest {
    const { request }: Pick<EventPayload, 'request'> = JSON.parse(`{${this.request.slice(1)}}`)
    return request
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

  private extendRequest(json: string): void {
    this.request = extend(this.request, json)
  }

  private stage(stage: Stage, rest: string): Draft {
    const { id, stamp, auth, request, changes } = this
    const isAscii = changes.isAscii && this.added === null && this.level < REQUEST
    return this.context.envelope.draft(writePayload({ id, stage, stamp, auth, request, rest }, changes), isAscii)
  }

  /**
   * Replaces the anonymous identity if authentication ran after Received, and adds on whose behalf a known one acts;
   * never replaces a known one.
   */
  private settleIdentity(): void {
    const { who } = this.context
    const found = this.added?.identity
    if (found === undefined && who.knowsNobody) return
    const auth = found === undefined ? who.auth(this.fastifyRequest, this.changes) : who.authOf(found, this.changes)
    if (auth === this.auth || auth === who.anonymous) return
    if (this.auth === who.anonymous || isOnBehalf(this.auth, auth)) this.auth = auth
    else {
      this.laterAuth = auth
      who.counts.authChanged++
    }
  }
}

/** Tells whether a request has a body: by headers in HTTP/1, by the stream in HTTP/2, where headers are optional. */
function hasBody(raw: IncomingMessage | Http2ServerRequest): boolean {
  const length = raw.headers['content-length']
  if (length !== undefined) return length !== '0'
  return 'stream' in raw ? !raw.stream.endAfterHeaders : raw.headers['transfer-encoding'] !== undefined
}

/** Adds members to the JSON of an object. */
function extend(object: string, members: string): string {
  return members === '' ? object : `${object.slice(0, -1)}${members}}`
}
