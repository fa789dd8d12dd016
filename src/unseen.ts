import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Server } from 'node:http'
import type { FastifyInstance } from 'fastify'

/** Node publishes every response here once it is written, also those that no framework ever saw. */
const FINISHED = 'http.server.response.finish'

/**
 * Counts what never became a request that Fastify routed: parse errors, overlong headers, timeouts by Node's error
 * code, and what Node or Fastify answered on their own by status.
 */
export class Unseen {
  readonly counts: Record<string, number> = {}
  private readonly isOurs = new WeakMap<object, boolean>()

  constructor(
    private readonly app: FastifyInstance,
    private readonly isSeen: (response: object) => boolean,
  ) {}

  start(): void {
    this.app.server.on('clientError', this.onClientError)
    channel(FINISHED)
    subscribe(FINISHED, this.onFinish)
  }

  stop(): void {
    this.app.server.off('clientError', this.onClientError)
    unsubscribe(FINISHED, this.onFinish)
  }

  private readonly onClientError = (error: NodeJS.ErrnoException): void => {
    this.count(error.code ?? 'unknown')
  }

  private readonly onFinish = (message: unknown): void => {
    if (typeof message !== 'object' || message === null) return
    const { response, server } = message as { response?: { statusCode?: number }; server?: Server }
    if (response === undefined || server === undefined || this.isSeen(response) || !this.isOfApp(server)) return
    this.count(`HTTP_${response.statusCode}`)
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
