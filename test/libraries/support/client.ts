import { parseReplies, requestBytes, Wire, type WireRequest } from '../../support/wire.js'
import { PATIENCE_MS } from './patience.js'
import type { Seen } from './seen.js'

/** A request, and what its client goes on to send when something of the reply is there. */
export interface TalkRequest extends WireRequest {
  turns?: ReadonlyArray<readonly [awaited: string, sent: Buffer]>
  /** Ends the connection when it has come, as a client that leaves an endless reply. */
  leaveAfter?: string
}

/** A request, or one that is made of the reply before it: with its cookie, or its etag. */
export type TalkStep = TalkRequest | ((previous: string) => TalkRequest)

/** Stands where the end of a reply should be; nothing more is asked then. */
const LATE = '(the reply did not end)'

function isLate(seen: readonly Seen[]): boolean {
  return seen.at(-1)?.bytes.endsWith(LATE) === true
}

/** Asks each over a connection of its own, then all that end by themselves over a single one. */
export async function talk(port: number, steps: readonly TalkStep[]): Promise<Seen[]> {
  const alone = await eachAlone(port, steps)
  if (isLate(alone)) return alone
  return [...alone, ...(await allOverOne(port, steps))]
}

async function eachAlone(port: number, steps: readonly TalkStep[]): Promise<Seen[]> {
  const seen: Seen[] = []
  let previous = ''
  for (const [index, step] of steps.entries()) {
    const request = typeof step === 'function' ? step(previous) : step
    const wire = await Wire.open(port)
    wire.send(requestBytes(request))
    previous = await within(wire, () => converse(wire, request))
    seen.push(seenOf(`${index} ${title(request)}`, previous, request))
    if (isLate(seen)) break
  }
  return seen
}

async function converse(wire: Wire, { method, headers, turns = [], leaveAfter }: TalkRequest): Promise<string> {
  for (const [awaited, sent] of turns) {
    await wire.until((bytes) => bytes.includes(awaited))
    wire.send(sent)
  }
  const isLeft = (bytes: string) => leaveAfter !== undefined && bytes.includes(leaveAfter)
  // A reply may say so whatever the request asks for: the one of a proxy, or an event stream.
  const isKept = (bytes: string) => /^connection: keep-alive/im.test(bytes) || headers?.connection === 'keep-alive'
  const isEnded = (bytes: string) => isKept(bytes) && isComplete(bytes, method === 'HEAD')
  const bytes = await wire.until((soFar) => isLeft(soFar) || isEnded(soFar))
  await wire.leave()
  return bytes
}

async function allOverOne(port: number, steps: readonly TalkStep[]): Promise<Seen[]> {
  const seen: Seen[] = []
  let wire = await Wire.open(port)
  let previous = ''
  for (const [index, step] of steps.entries()) {
    const request = typeof step === 'function' ? step(previous) : step
    if (request.turns !== undefined || request.leaveAfter !== undefined) continue
    // A body that cannot be parsed is one after which the server closes the connection.
    if (/^connection: close/im.test(previous)) wire = await reopened(wire, port)
    previous = await within(wire, () => next(wire, request))
    seen.push(seenOf(`${index} ${title(request)} over the same connection`, previous, request))
    if (isLate(seen)) break
  }
  await wire.leave()
  return seen
}

async function reopened(wire: Wire, port: number): Promise<Wire> {
  await wire.until(() => false)
  return Wire.open(port)
}

/** Asks over a connection that stays. */
async function next(wire: Wire, request: TalkRequest): Promise<string> {
  wire.forget()
  wire.send(requestBytes({ ...request, headers: { ...request.headers, connection: 'keep-alive' } }))
  return wire.until((soFar) => isComplete(soFar, request.method === 'HEAD'))
}

/** Cuts the connection when a reply takes far too long: its request is then told by name, not by a test's timeout. */
async function within(wire: Wire, exchange: () => Promise<string>): Promise<string> {
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    wire.socket.destroy()
  }, PATIENCE_MS)
  const bytes = await exchange()
  clearTimeout(timer)
  return isLate ? bytes + LATE : bytes
}

function title({ method = 'GET', url = '/' }: TalkRequest): string {
  return `${method} ${url}`
}

function seenOf(name: string, bytes: string, { method }: TalkRequest): Seen {
  return { name, bytes, status: statusOf(bytes, method === 'HEAD') }
}

/** The final status, or NaN when there is no reply. */
function statusOf(bytes: string, isHead: boolean): number {
  if (!bytes.includes('\r\n\r\n') || bytes.endsWith(LATE)) return Number.NaN
  const isUpgraded = bytes.startsWith('HTTP/1.1 101 ')
  return isUpgraded ? 101 : (parseReplies(bytes, isHead).at(-1)?.status ?? Number.NaN)
}

function isComplete(bytes: string, isHead: boolean): boolean {
  if (!bytes.includes('\r\n\r\n')) return false
  const last = parseReplies(bytes, isHead).at(-1)
  return last !== undefined && last.status >= 200 && last.isWhole
}

/** What a client sends back of the cookies that a reply sets. */
export function cookiesOf(reply: string): string {
  const set = [...reply.matchAll(/^set-cookie: ([^;\r]*)/gim)]
  return set.map(([, cookie]) => cookie).join('; ')
}

/** A chunked reply with its body as a whole; one that is cut stays as it is. */
export function withoutChunks(bytes: string): string {
  const end = bytes.indexOf('\r\n\r\n') + 4
  const head = bytes.slice(0, end)
  if (!/^transfer-encoding: chunked\r$/im.test(head)) return bytes
  const [reply] = parseReplies(bytes)
  if (reply === undefined || !reply.isWhole) return bytes
  return `${head}${reply.body}\r\n${reply.trailers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}`
}
