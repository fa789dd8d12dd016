import { connect } from 'node:http2'
import type { Reply, WireRequest } from './wire.js'

/** Sends one request over cleartext HTTP/2, and returns the reply. */
export async function askHttp2(port: number, request: WireRequest): Promise<Reply> {
  const { method = 'GET', url = '/', headers = {}, body } = request
  const session = connect(`http://127.0.0.1:${port}`)
  const reply: Reply = { status: 0, headers: [], body: '', trailers: [], isWhole: false }
  const { connection: _, ...allowed } = headers
  const stream = session.request({ ':method': method, ':path': url, ...allowed }, { endStream: body === undefined })
  stream.setEncoding('utf8')
  stream.on('response', (got) => {
    reply.status = Number(got[':status'])
    reply.headers = toPairs(got)
  })
  stream.on('data', (chunk: string) => {
    reply.body += chunk
  })
  stream.on('trailers', (trailers) => {
    reply.trailers = toPairs(trailers)
  })
  stream.on('end', () => {
    reply.isWhole = stream.rstCode === 0
  })
  if (body !== undefined) stream.end(body)
  await new Promise<void>((resolve) => stream.on('close', resolve).on('error', () => resolve()))
  await new Promise<void>((resolve) => session.close(resolve))
  return reply
}

/** Headers but for HTTP/2's own, one pair a value. */
export function toPairs(headers: Record<string, unknown>): Array<[string, string]> {
  return Object.entries(headers)
    .filter(([name]) => !name.startsWith(':'))
    .flatMap(
      ([name, value]): Array<[string, string]> =>
        Array.isArray(value) ? value.map((one) => [name, String(one)]) : [[name, String(value)]],
    )
}
