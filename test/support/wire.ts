import { connect, type Socket } from 'node:net'

/** One reply as it came over the wire. */
export interface Reply {
  status: number
  /** In the order sent; names in lower case. */
  headers: Array<[name: string, value: string]>
  body: string
  trailers: Array<[name: string, value: string]>
  /** False when the connection was cut before its end. */
  isWhole: boolean
}

/** A client on a bare socket, which sees every byte. */
export class Wire {
  /** All that was received since the last `forget`, a character a byte. */
  bytes = ''
  private readonly waiting: Array<() => void> = []
  private isClosed = false

  private constructor(readonly socket: Socket) {
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      this.bytes += chunk
      this.wake()
    })
    // A reset is one way of cutting a connection, and 'close' follows.
    socket.on('error', () => this.wake())
    socket.on('close', () => {
      this.isClosed = true
      this.wake()
    })
  }

  static async open(port: number): Promise<Wire> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new Wire(socket)
  }

  /** Drops the received bytes: otherwise a connection that is kept open is read from its start for each reply. */
  forget(): void {
    this.bytes = ''
  }

  send(text: string | Buffer): void {
    this.socket.write(text)
  }

  /** Resolves as soon as `isThere` holds, or the connection is closed. */
  async until(isThere: (bytes: string) => boolean): Promise<string> {
    while (!this.isClosed && !isThere(this.bytes)) await this.more()
    return this.bytes
  }

  /** Resolves when the connection is closed, with everything that was received. */
  async closed(): Promise<string> {
    while (!this.isClosed) await this.more()
    return this.bytes
  }

  /** Everything that came until the server closed the connection. */
  async toEnd(): Promise<Reply[]> {
    return parseReplies(await this.closed())
  }

  /** Resets the connection, or ends it. */
  async leave(how: 'reset' | 'end' = 'end'): Promise<void> {
    if (how === 'reset') this.socket.resetAndDestroy()
    else this.socket.destroy()
    await this.closed()
  }

  private more(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve()
  }
}

export interface WireRequest {
  method?: string
  url?: string
  headers?: Record<string, string>
  body?: string
}

/** The bytes of a request, after which the server closes the connection unless told otherwise. */
export function requestBytes({ method = 'GET', url = '/', headers = {}, body }: WireRequest): string {
  const all: Record<string, string> = { host: 'audit.test', connection: 'close', ...headers }
  if (body !== undefined) all['content-length'] ??= String(Buffer.byteLength(body))
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${url} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`
}

/** Sends one request, and returns every reply to it. */
export async function ask(port: number, request: WireRequest): Promise<Reply[]> {
  const wire = await Wire.open(port)
  wire.send(requestBytes(request))
  const isHead = request.method === 'HEAD'
  // Bytes that should not be there would come after the reply: only a connection that is kept alive ends with it.
  const keepsAlive = request.headers?.connection === 'keep-alive'
  const bytes = keepsAlive ? await wire.until((soFar) => isComplete(soFar, isHead)) : await wire.closed()
  await wire.leave()
  return parseReplies(bytes, isHead)
}

/** Tells whether a final reply is there as a whole. */
function isComplete(bytes: string, isHead: boolean): boolean {
  if (!bytes.includes('\r\n\r\n')) return false
  const last = parseReplies(bytes, isHead).at(-1)
  return last !== undefined && last.status >= 200 && last.isWhole
}

/** Every reply among the bytes of a connection. */
export function parseReplies(bytes: string, isHead = false): Reply[] {
  const replies: Reply[] = []
  let rest = bytes
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) throw new Error(`not a reply: ${JSON.stringify(rest)}`)
    const [statusLine = '', ...lines] = rest.slice(0, end).split('\r\n')
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1])
    if (Number.isNaN(status)) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`)
    const headers = lines.map(toHeader)
    const content = rest.slice(end + 4)
    const isBodiless = isHead || status < 200 || status === 204 || status === 304
    const { body, trailers, isWhole, length } = isBodiless
      ? { body: '', trailers: [], isWhole: true, length: 0 }
      : readBody(content, headers)
    replies.push({ status, headers, body: Buffer.from(body, 'latin1').toString(), trailers, isWhole })
    rest = content.slice(length)
  }
  return replies
}

/** The value of a header, if it is there. */
export function header(reply: Reply | undefined, name: string): string | undefined {
  return reply?.headers.find(([key]) => key === name)?.[1]
}

interface Body {
  body: string
  trailers: Array<[string, string]>
  isWhole: boolean
  /** Bytes of the connection that it takes. */
  length: number
}

function readBody(content: string, headers: Array<[string, string]>): Body {
  const find = (name: string) => headers.find(([key]) => key === name)?.[1]
  if (find('transfer-encoding')?.includes('chunked')) return readChunks(content)
  const length = find('content-length')
  if (length === undefined) return { body: content, trailers: [], isWhole: true, length: content.length }
  const body = content.slice(0, Number(length))
  return { body, trailers: [], isWhole: body.length === Number(length), length: body.length }
}

function readChunks(content: string): Body {
  let at = 0
  let body = ''
  for (;;) {
    const lineEnd = content.indexOf('\r\n', at)
    const size = lineEnd < 0 ? Number.NaN : Number.parseInt(content.slice(at, lineEnd), 16)
    if (Number.isNaN(size)) return { body, trailers: [], isWhole: false, length: content.length }
    at = lineEnd + 2
    if (size === 0) break
    body += content.slice(at, at + size)
    at += size + 2
  }
  const end = content.indexOf('\r\n\r\n', at - 2)
  if (end < 0) return { body, trailers: [], isWhole: false, length: content.length }
  const trailers = content.slice(at, Math.max(at, end)).split('\r\n').filter(Boolean).map(toHeader)
  return { body, trailers, isWhole: true, length: end + 4 }
}

function toHeader(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
}
