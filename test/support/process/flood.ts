import { connect, type Socket } from 'node:net'

/** One reply that a client has received as a whole. */
export interface Answer {
  status: number
  /** The request's. */
  number: number
  /** The number of its connection. */
  connection: number
  auditId: string
}

export interface FloodOptions {
  connections: number
  /** Requests that each connection has under way. */
  pipeline: number
  /** Requests after which a connection is closed and another made. */
  requestsPerConnection?: number
  /** The most requests in all. */
  limit?: number
  /** Bytes by which each request's URL, and so its lines, are longer. */
  padding?: number
  onAnswer: (answer: Answer) => void
}

/** Numbers are never used twice, whichever flood a request belongs to. */
let lastNumber = 0
let lastConnection = 0

/** Sends requests without a pause; resolves when all are answered, or every connection was cut. */
export async function flood(port: number, options: FloodOptions): Promise<void> {
  const left = { requests: options.limit ?? Number.POSITIVE_INFINITY }
  const client = async (): Promise<void> => {
    while (left.requests > 0 && (await new Connection(port, options, left).used));
  }
  await Promise.all(Array.from({ length: options.connections }, client))
}

class Connection {
  /** Resolves when it is closed: true when everything that was sent by it was answered. */
  readonly used: Promise<boolean>
  private readonly socket: Socket
  private readonly number = ++lastConnection
  private received = ''
  private mayStillSend: number
  private readonly query: string
  private readonly unanswered: number[] = []

  constructor(
    port: number,
    private readonly options: FloodOptions,
    private readonly left: { requests: number },
  ) {
    this.mayStillSend = options.requestsPerConnection ?? Number.POSITIVE_INFINITY
    this.query = options.padding === undefined ? '' : `?${'x'.repeat(options.padding)}`
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket.setEncoding('latin1')
    this.socket.on('connect', () => this.send())
    this.socket.on('data', (text: string) => {
      this.received += text
      this.read()
      this.send()
    })
    // A server that was killed resets, or refuses, its connections; 'close' follows.
    this.socket.on('error', () => undefined)
    this.used = new Promise((resolve) => {
      this.socket.on('close', (hadError) => resolve(!hadError && this.unanswered.length === 0 && this.hasSent))
    })
  }

  private get hasSent(): boolean {
    return this.mayStillSend === 0 || this.left.requests === 0
  }

  private send(): void {
    let text = ''
    while (this.unanswered.length < this.options.pipeline && !this.hasSent) {
      const number = ++lastNumber
      this.unanswered.push(number)
      this.mayStillSend--
      this.left.requests--
      text += `GET /tasks/${number}${this.query} HTTP/1.1\r\nhost: audit.test\r\n\r\n`
    }
    if (text !== '') this.socket.write(text)
    else if (this.unanswered.length === 0) this.socket.end()
  }

  /** Takes the replies that are there as a whole. */
  private read(): void {
    let at = 0
    for (;;) {
      const end = this.received.indexOf('\r\n\r\n', at)
      if (end === -1) break
      const head = this.received.slice(at, end)
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1])
      const body = this.received.slice(end + 4, end + 4 + length)
      if (body.length < length) break
      at = end + 4 + length
      this.answered(Number(head.slice(9, 12)), JSON.parse(body))
    }
    this.received = this.received.slice(at)
  }

  private answered(status: number, { auditId }: { auditId: string }): void {
    const number = this.unanswered.shift()
    if (number === undefined) throw new Error('a reply came for which nothing was asked')
    this.options.onAnswer({ status, number, connection: this.number, auditId })
  }
}
