import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { EventEmitter } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { isAboutNoOther } from './client-error.js'

/** Node publishes every response here once it is written, also those that no framework ever saw; HTTP/2 has no such place. */
const FINISHED = 'http.server.response.finish'

/** A method that is handed to nobody who routes. */
const CONNECT = 'CONNECT'

/**
 * Counts what never became a request that Fastify routed: parse errors, overlong headers, timeouts by Node's error
 * code, and what Node or Fastify answered on their own by status.
 */
export class UnroutedRequests {
  readonly counts: Record<string, number> = {}
  private readonly isOurs = new WeakMap<object, boolean>()

  constructor(
    private readonly app: FastifyInstance,
    private readonly isSeen: (response: object) => boolean,
  ) {}

  start(): void {
    this.listen('on')
    channel(FINISHED)
    subscribe(FINISHED, this.onFinish)
  }

  stop(): void {
    this.listen('off')
    unsubscribe(FINISHED, this.onFinish)
  }

  private listen(change: 'on' | 'off'): void {
    const server: EventEmitter = this.app.server
    server[change]('clientError', this.onClientError)
    if ('updateSettings' in server) {
      server[change]('stream', this.onStream)
      server[change]('request', this.onHttp2Request)
    } else {
      server[change]('connect', this.onConnect)
    }
  }

  private readonly onClientError = (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (!isAboutNoOther(error, socket)) this.count(error.code ?? 'unknown')
  }

  private readonly onFinish = (message: unknown): void => {
    if (typeof message !== 'object' || message === null) return
    const { response, server } = message as { response?: { statusCode?: number }; server?: Server }
    if (response === undefined || server === undefined || this.isSeen(response) || !this.isOfApp(server)) return
    this.count(`HTTP_${response.statusCode}`)
  }

  /** Node hangs up on a `CONNECT` that nobody listens for; now somebody does. */
  private readonly onConnect = (_: IncomingMessage, socket: Socket): void => {
    this.count(CONNECT)
    if (this.app.server.listenerCount('connect') === 1) socket.destroy()
  }

  /** What Node answers over HTTP/2 before there is a request. */
  private readonly onStream = (_: unknown, headers: Record<string, unknown>): void => {
    const { server } = this.app
    if (headers[':method'] === CONNECT) {
      this.count(server.listenerCount('connect') === 0 ? 'HTTP_405' : CONNECT)
    } else if (headers.expect !== undefined && headers.expect !== '100-continue') {
      if (server.listenerCount('checkExpectation') === 0) this.count('HTTP_417')
    }
  }

  /** Fastify has routed this one by now, or answered it itself, or a hook before ours is at it. */
  private readonly onHttp2Request = (request: Http2ServerRequest, response: Http2ServerResponse): void => {
    if (request.httpVersionMajor !== 2 || this.isSeen(response)) return
    response.once('finish', () => {
      const status = response.stream?.sentHeaders?.[':status']
      // A stream that is cut is finished too.
      if (status !== undefined && !this.isSeen(response)) this.count(`HTTP_${status}`)
    })
  }

  /** `listen({ host: 'localhost' })` opens a second server, with the same request listener. */
  private isOfApp(server: Server): boolean {
    const known = this.isOurs.get(server)
    if (known !== undefined) return known
    const isOurs = server === this.app.server || shareListener(server, this.app.server)
    this.isOurs.set(server, isOurs)
    return isOurs
  }

  private count(kind: string): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1
  }
}

function shareListener(one: Server, other: Server): boolean {
  const listeners = new Set<unknown>(other.listeners('request'))
  return one.listeners('request').some((listener) => listeners.has(listener))
}
