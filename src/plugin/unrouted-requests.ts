import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { EventEmitter } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { isAboutNoOther } from './client-error.js'

/** Channel on which Node publishes every written response, even one that no framework saw. HTTP/2 has none. */
const FINISHED = 'http.server.response.finish'

/** Method that Node never passes to a router. */
const CONNECT = 'CONNECT'

/**
 * Counts requests that Fastify never routed. Parse errors, overlong headers and timeouts are counted by Node's error
 * code; replies that Node or Fastify sent on their own, by status.
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

  /** Closes the socket as Node would: Node does so only if nothing listens for `CONNECT`, and this plugin listens. */
  private readonly onConnect = (_: IncomingMessage, socket: Socket): void => {
    this.count(CONNECT)
    if (this.app.server.listenerCount('connect') === 1) socket.destroy()
  }

  /** Counts HTTP/2 requests that Node answers before it emits 'request'. */
  private readonly onStream = (_: unknown, headers: Record<string, unknown>): void => {
    const { server } = this.app
    if (headers[':method'] === CONNECT) {
      this.count(server.listenerCount('connect') === 0 ? 'HTTP_405' : CONNECT)
    } else if (headers.expect !== undefined && headers.expect !== '100-continue') {
      if (server.listenerCount('checkExpectation') === 0) this.count('HTTP_417')
    }
  }

  /** Counts HTTP/2 replies when they finish: Fastify may answer alone, or an earlier hook may still be running. */
  private readonly onHttp2Request = (request: Http2ServerRequest, response: Http2ServerResponse): void => {
    if (request.httpVersionMajor !== 2 || this.isSeen(response)) return
    response.once('finish', () => {
      const status = response.stream?.sentHeaders?.[':status']
      // A cut stream emits 'finish' too, without a status.
      if (status !== undefined && !this.isSeen(response)) this.count(`HTTP_${status}`)
    })
  }

  /** Recognizes also the second server that `listen({ host: 'localhost' })` opens, by its shared request listener. */
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
