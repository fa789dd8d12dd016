import { connect } from 'node:http2'
import type { Readable } from 'node:stream'
import { toPairs } from '../support/http2.js'
import { turns } from '../support/staged-sink.js'
import { parseReplies, requestBytes, Wire } from '../support/wire.js'
import type { Program } from './program.js'
import { AFTER, BEFORE, type Served } from './servers.js'

export type Transport = 'HTTP/1' | 'HTTP/2' | 'inject' | 'inject as a stream'

export const TRANSPORTS: readonly Transport[] = ['HTTP/1', 'inject', 'inject as a stream', 'HTTP/2']

/** All that a client can see of a reply, and the final status, if one came. */
export interface Received {
  readonly status: number | undefined
  readonly seen: unknown
  /** Received text without its framing; only a part if the reply was cut. */
  readonly text?: string
  /** Nothing was cut. */
  readonly isWhole: boolean
}

/** Leaves what stays open, once the server does nothing more. */
export interface Patience {
  leave: () => void
}

/**
 * Sends a program's request, and returns what came back. It may be queued: by HTTP/1 behind another one, by HTTP/2 by a
 * client that lets its reply's body come some turns after the head.
 */
export function ask(
  transport: Transport,
  served: Served,
  program: Program,
  patience: Patience,
  queuedTurns: number,
): Promise<Received> {
  if (transport === 'HTTP/1') return askHttp1(served.port, program, patience, queuedTurns > 0)
  if (transport === 'HTTP/2') return askHttp2(served.port, program, patience, queuedTurns)
  return inject(served, program, transport === 'inject as a stream')
}

/** Window size of a client that accepts a body. */
const WINDOW = 65_535

const BODY = '{"sent":true}'
const BODY_HEADERS = { 'content-type': 'application/json' }

function urlOf({ scripts }: Program): string {
  return scripts.errorHandler === undefined ? '/' : '/error-handler'
}

async function askHttp1(port: number, program: Program, patience: Patience, isQueued: boolean): Promise<Received> {
  const { method } = program
  // Bodies after a reply to HEAD cannot be told from it.
  const isKeptAlive = program.isKeptAlive && method !== 'HEAD'
  const wire = await Wire.open(port)
  let staysOpen = false
  patience.leave = () => {
    staysOpen = true
    wire.socket.destroy()
  }
  const connection = isKeptAlive ? 'keep-alive' : 'close'
  const isPost = method === 'POST'
  const headers = { connection, ...(isPost && BODY_HEADERS) }
  const first = requestBytes({ method, url: urlOf(program), headers, ...(isPost && { body: BODY }) })
  // Bytes after the reply show whether the connection was kept, and that no extra byte was sent.
  const before = isQueued ? requestBytes({ url: BEFORE, headers: { connection: 'keep-alive' } }) : ''
  wire.send(before + first + (isKeptAlive ? requestBytes({ url: AFTER }) : ''))
  const all = await wire.until(() => false)
  const bytes = (isQueued ? all.slice(all.indexOf(BEFORE) + BEFORE.length) : all).replace(
    /(\r\ndate: ).*GMT\r\n/gi,
    '$1...\r\n',
  )
  await wire.leave()
  const heads = bytes.match(/HTTP\/1\.1 \d+ [^\r]*\r\n(?:[^\r\n]+\r\n)*/g) ?? []
  const status = heads.map(statusOf).find((one) => one >= 200)
  try {
    const replies = parseReplies(bytes, method === 'HEAD')
    const isWhole = replies.at(-1)?.isWhole ?? false
    const bodies = replies.map(({ headers: _, ...reply }) => reply)
    const seen = {
      staysOpen,
      heads: withoutLate(heads, statusOf),
      replies: withoutLate(bodies, (reply) => reply.status),
    }
    const text = seen.heads.map((head, index) => `${head}\r\n${seen.replies[index]?.body}`).join('')
    return { status, text, isWhole, seen }
  } catch {
    return { status, text: bytes, isWhole: false, seen: { staysOpen, bytes } }
  }
}

function statusOf(head: string): number {
  return Number(head.slice(9, 12))
}

/** An informational reply after the final one is sent as long as Node has not let go of the connection, and then is lost. */
function withoutLate<One>(all: readonly One[], status: (one: One) => number): One[] {
  const final = all.findIndex((one) => status(one) >= 200)
  return all.filter((one, index) => final < 0 || index <= final || status(one) >= 200)
}

async function askHttp2(port: number, program: Program, patience: Patience, queuedTurns: number): Promise<Received> {
  const { method } = program
  const session = connect(`http://127.0.0.1:${port}`, queuedTurns > 0 ? { settings: { initialWindowSize: 0 } } : {})
  const isPost = method === 'POST'
  const headers = { ':method': method, ':path': urlOf(program), ...(isPost && BODY_HEADERS) }
  const stream = session.request(headers, { endStream: !isPost })
  stream.setEncoding('utf8')
  const seen = {
    early: [] as unknown[],
    status: undefined as number | undefined,
    headers: [] as Array<[string, string]>,
    body: '',
    trailers: [] as Array<[string, string]>,
    isWhole: false,
    staysOpen: false,
    reset: 0 as number | undefined,
  }
  patience.leave = () => {
    seen.staysOpen = true
    stream.destroy()
  }
  stream.on('headers', (early) => void seen.early.push([early[':status'], toPairs(early)]))
  stream.on('response', (got) => {
    seen.status = Number(got[':status'])
    seen.headers = toPairs(got).map(([name, value]) => [name, name === 'date' && value.endsWith('GMT') ? '...' : value])
    if (queuedTurns === 0) return
    void turns(queuedTurns).then(() => session.destroyed || session.settings({ initialWindowSize: WINDOW }))
  })
  stream.on('data', (chunk: string) => {
    seen.body += chunk
  })
  stream.on('trailers', (trailers) => {
    seen.trailers = toPairs(trailers)
  })
  stream.on('end', () => {
    seen.isWhole = true
  })
  if (isPost) stream.end(BODY)
  await new Promise<void>((resolve) => stream.on('close', resolve).on('error', () => undefined))
  seen.reset = stream.rstCode
  await new Promise<void>((resolve) => session.close(resolve))
  const { early, status, headers: head, body } = seen
  return {
    status,
    text: JSON.stringify({ early, status, head }) + body,
    isWhole: seen.isWhole && seen.reset === 0,
    seen,
  }
}

async function inject({ app }: Served, program: Program, payloadAsStream: boolean): Promise<Received> {
  const { method } = program
  const isPost = method === 'POST'
  try {
    const reply = await app.inject({
      method,
      url: urlOf(program),
      payloadAsStream,
      ...(isPost && { headers: BODY_HEADERS, payload: BODY }),
    })
    const body = payloadAsStream ? await read(reply.stream()) : reply.payload
    const { statusCode, statusMessage, headers, trailers } = reply
    const pairs = toPairs(headers).map(([name, value]) => [
      name,
      name === 'date' && value.endsWith('GMT') ? '...' : value,
    ])
    const [text = ''] = body.split(CUT)
    const isWhole = text === body
    return {
      status: statusCode,
      text: JSON.stringify({ statusCode, pairs }) + text,
      isWhole,
      seen: { statusCode, statusMessage, headers: pairs, body, trailers },
    }
  } catch (error) {
    return { status: undefined, isWhole: false, seen: { failed: String(error) } }
  }
}

const CUT = ' and then '

async function read(stream: Readable): Promise<string> {
  let text = ''
  try {
    for await (const chunk of stream) text += String(chunk)
  } catch (error) {
    return `${text}${CUT}${String(error)}`
  }
  return text
}
