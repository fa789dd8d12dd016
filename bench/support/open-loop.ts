import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'

/** What was seen of requests that were started on schedule, in milliseconds, the smallest first. */
export interface Pace {
  /** From when a request was to start, not from when it did: what a server keeps waiting is counted from then on. */
  latencies: Float64Array
  /** How much later than on schedule requests were written: what the generator itself has added. */
  lateness: Float64Array
}

const HEAD_END = '\r\n\r\n'
/** Milliseconds that the last replies may take. */
const PATIENCE = 10_000

/**
 * Requests that start at a fixed rate, whatever has come back. A server that stops for 100 ms is asked as often as
 * before meanwhile, where a client that waits for its replies would have asked it once. Made to be cheap: the requests'
 * bytes are made once, replies are counted by their length, and the loop never sleeps.
 */
export class OpenLoop {
  readonly #connections: Connection[] = []
  readonly #request: Buffer
  readonly #url: URL
  #free: Connection[] = []
  #error: Error | undefined

  private constructor(url: string) {
    this.#url = new URL(url)
    const { pathname, search, host } = this.#url
    this.#request = Buffer.from(`GET ${pathname}${search} HTTP/1.1\r\nhost: ${host}${HEAD_END}`)
  }

  /** Enough connections that one is free, unless the server stops for long; what is due then waits, and that counts. */
  static async open(url: string, connections: number): Promise<OpenLoop> {
    const loop = new OpenLoop(url)
    for (let index = 0; index < connections; index++) loop.#connections.push(await loop.#connect())
    return loop
  }

  close(): void {
    for (const { socket } of this.#connections) socket.destroy()
  }

  async run({ rate, seconds }: { rate: number; seconds: number }): Promise<Pace> {
    const total = Math.round(rate * seconds)
    const latencies = new Float64Array(total)
    const lateness = new Float64Array(total)
    const start = performance.now() + 1
    const dueAt = (index: number) => start + (index * 1000) / rate
    let sent = 0
    let answered = 0
    this.#free = [...this.#connections]
    for (const connection of this.#connections) {
      connection.onReply = () => {
        latencies[answered++] = performance.now() - connection.dueAt
        this.#free.push(connection)
      }
    }
    while (answered < total) {
      const now = performance.now()
      while (sent < total && dueAt(sent) <= now) {
        // The one that has been free for longest: all are in use, as those of many clients would be.
        const connection = this.#free.shift()
        if (connection === undefined) break
        connection.dueAt = dueAt(sent)
        lateness[sent++] = performance.now() - connection.dueAt
        connection.socket.write(this.#request)
      }
      if (this.#error !== undefined) throw this.#error
      if (now > dueAt(total) + PATIENCE) throw new Error(`${total - answered} of ${total} requests have no reply`)
      await setImmediate()
    }
    return { latencies: latencies.sort(), lateness: lateness.sort() }
  }

  /** A connection that has had one reply, and knows by it how long each will be. */
  async #connect(): Promise<Connection> {
    let connection: Connection | undefined
    const buffer = Buffer.allocUnsafe(16_384)
    const socket = connect({
      port: Number(this.#url.port),
      host: this.#url.hostname,
      noDelay: true,
      onread: {
        buffer,
        callback: (bytes) => {
          const problem = connection?.take(buffer.subarray(0, bytes))
          if (problem !== undefined) this.#error = new Error(`${this.#url.href}: ${problem}`)
          return true
        },
      },
    })
    await once(socket, 'connect')
    socket.on('close', (hadError) => {
      if (!hadError) this.#error = new Error(`${this.#url.href}: the connection was closed`)
    })
    const opened = new Connection(socket)
    connection = opened
    await new Promise<void>((resolve) => {
      opened.onReply = resolve
      socket.write(this.#request)
    })
    return opened
  }
}

/** One request at a time. */
class Connection {
  /** When its request was to start. */
  dueAt = 0
  onReply = (): void => {}
  /** Of a whole reply, in bytes: unknown before the first one. */
  #length = 0
  #taken = 0

  constructor(readonly socket: Socket) {}

  /** What is wrong with the bytes, if anything is. */
  take(bytes: Buffer): string | undefined {
    if (this.#taken === 0 && bytes.toString('latin1', 9, 12) !== '200') return `said ${bytes.toString('latin1', 0, 64)}`
    if (this.#length === 0) this.#length = lengthOf(bytes.toString('latin1'))
    this.#taken += bytes.length
    if (this.#taken < this.#length) return undefined
    if (this.#taken > this.#length) return 'sent a reply that is longer than its first one'
    this.#taken = 0
    this.onReply()
    return undefined
  }
}

/** The first reply is expected in one piece, with its length. */
function lengthOf(reply: string): number {
  const body = /\r\ncontent-length: (\d+)\r\n/i.exec(reply)?.[1]
  if (body === undefined) throw new Error(`a reply without content-length: ${reply.slice(0, 200)}`)
  return reply.indexOf(HEAD_END) + HEAD_END.length + Number(body)
}
