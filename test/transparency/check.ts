import { afterAll, beforeAll, expect } from 'vitest'
import type { Received, Transport } from './clients.js'
import { differences, extras, isQueued, type Observation, observe, type Queued } from './observe.js'
import { ACTORS, type Program } from './program.js'
import { hasLargeSource, hasManySources, hasOneReplier } from './repliers.js'
import { AUDITS, type Audit, nameOf, Servers, type Waiting } from './servers.js'
import { watchProcess } from './watch.js'

/** Hooks in which the audit waits, and in which any such hook may wait. */
export const WAITING: readonly Waiting[] = [
  { waitsIn: ['onRequest'] },
  { waitsIn: ['onRequest'], isAsync: true },
  { waitsIn: ['preValidation'], isAsync: true },
  { waitsIn: ['onRequest', 'preValidation', 'preHandler'] },
  { waitsIn: ['onRequest', 'preValidation', 'preHandler', 'onSend'] },
  // Wait as long as an audit with a slow sink.
  { waitsIn: ['onRequest'], isAsync: true, turns: 6 },
  { waitsIn: ['preValidation'], isAsync: true, turns: 6 },
]

/** Turns for which Node itself keeps back a queued reply: as long as a fast sink, and as a slow one. */
const QUEUED: readonly Queued[] = [{ queuedTurns: 4 }, { queuedTurns: 12 }]

/**
 * Parts that depend on whether the last byte was handed over yet: Node's answers after a reply's end, their time, and
 * the number of bytes known to be sent when the connection is cut.
 */
const OF_THE_END = ['events', 'ends', 'outcomes', 'lateCalls', 'endHooks', 'endLogs']

/** Parts that depend on a cut: a handler that waits for its reply's end is told of it, and goes on with it. */
const OF_A_CUT = ['hooks', 'logs', 'channels', ...['onError', 'onSend', 'errorHandler'].map(callsOf)]

/**
 * Over HTTP/2 Node refuses what replies once more as long as the stream of the first reply is there, and ignores it
 * afterwards. How long that is depends on the client, too; whoever is told of the refusal goes on in another way. Over
 * HTTP/1 it is so of a large source, which waits for what is held to drain: others that reply overtake it.
 */
const OF_A_SECOND_REPLY = [...OF_THE_END, 'hooks', 'logs', 'channels', ...['handler', ...ACTORS].map(callsOf)]

/** Message that the audit logs for an exception that would otherwise end the process. */
const CUT_OFF = 'a request could not go on, and was cut off'

/**
 * `inject` emits 'finish' and 'close' by itself beside Node, and tells its caller what `statusCode` says at its end, not
 * the status of the head.
 */
const INJECTED = ['inject', 'inject as a stream']
const STATUS_OF_INJECT = /^[\d.]+ was sent, and recorded \d+$/

/** Size that fits into no buffer on the way. */
const LARGE = 50_000

/** Creates servers for the tests of a `describe`; expects every trail to be complete afterwards. */
export function servers(): { current(): Servers } {
  const made = new Servers()
  let unwatch = (): void => undefined
  beforeAll(() => {
    unwatch = watchProcess()
  })
  afterAll(async () => {
    const mistakes = await made.close()
    unwatch()
    expect(mistakes).toEqual([])
  })
  return { current: () => made }
}

/** Runs a program on servers with and without the audit; throws where only the audit can be the reason for a difference. */
export async function check(
  program: Program,
  transport: Transport,
  servers: Servers,
  audits: readonly Audit[] = AUDITS,
  waiting: readonly Waiting[] = WAITING,
): Promise<void> {
  const plain = await observe(program, 'plain', transport, servers)
  const others = new Others(program, transport, servers, waiting)
  for (const audit of audits) {
    const seen = await observe(program, audit, transport, servers)
    const name = `${transport}, ${nameOf(audit)}`
    const isInjected = INJECTED.includes(transport)
    const mistakes = seen.trail.filter((mistake) => !isInjected || !STATUS_OF_INJECT.test(mistake))
    expect(mistakes, name).toEqual([])
    const parts = await others.unexplained(seen, plain)
    // The message of the first one that fails shows the plain server as what was expected.
    expect(only(seen, parts), name).toEqual(only(plain, parts))
  }
}

/** What the same program does on other servers without the audit; they are asked only when something is to be explained. */
export class Others {
  private readonly seen: Observation[] = []

  constructor(
    private readonly program: Program,
    private readonly transport: Transport,
    private readonly servers: Servers,
    private readonly waiting: readonly Waiting[] = WAITING,
  ) {}

  /** The parts in which an audited server differs from the plain one for no other reason than the audit. */
  async unexplained(audited: Observation, plain: Observation): Promise<string[]> {
    let parts = differences(audited, plain)
    if (audited.hasLateCalls || plain.hasLateCalls || isCut(audited, plain)) {
      parts = parts.filter((part) => !OF_THE_END.includes(part))
    }
    if (this.transport === 'HTTP/1' && !hasOneReplier(this.program) && hasLargeSource(this.program)) {
      parts = parts.filter((part) => !OF_A_SECOND_REPLY.includes(part))
    }
    if (this.transport !== 'HTTP/1') parts = parts.filter((part) => !this.isOfAnEnd(part, audited, plain))
    if (INJECTED.includes(this.transport) || !hasOneReplier(this.program)) {
      parts = parts.filter(
        (part) => !part.startsWith(callsOf('')) || !isOfPressure(audited.parts[part], plain.parts[part]),
      )
    }
    if (INJECTED.includes(this.transport)) parts = parts.filter((part) => part !== 'ends')
    // What comes after its end is in the stream already that the caller reads.
    if (this.transport === 'inject as a stream' && (audited.hasLateCalls || plain.hasLateCalls)) {
      parts = parts.filter((part) => part !== 'wire')
    }
    // Without the audit that exception is the end of the process, or of `inject`.
    if (JSON.stringify(audited.parts.logs).includes(CUT_OFF)) parts = parts.filter((part) => part === 'process')
    const kinds = INJECTED.includes(this.transport) ? this.waiting : [...this.waiting, ...QUEUED]
    for (let index = 0; parts.length > 0 && index < kinds.length; index++) {
      const kind = kinds[index] ?? 'plain'
      const other = this.seen[index] ?? (await observe(this.program, kind, this.transport, this.servers))
      this.seen[index] = other
      if (
        isQueued(kind) &&
        this.transport === 'HTTP/1' &&
        this.isOfAQueue(audited.received, plain.received, other.received)
      ) {
        parts = parts.filter((part) => part !== 'wire')
      }
      const others = differences(audited, other)
      // No waiting explains an exception that ends the process: a hook that delays others must catch what they throw.
      parts = parts.filter(
        (part) => others.includes(part) || (part === 'process' && !(isQueued(kind) && isWriteAfterEnd(audited, plain))),
      )
    }
    return parts
  }

  /** Two sources that are written to one reply race for it, and what is held makes them wait for each other. */
  private isOfAQueue(audited: Received, plain: Received, queued: Received): boolean {
    if (isBetween(audited, plain, queued)) return true
    return hasManySources(this.program) && headOf(audited) === headOf(plain)
  }

  /** Whether a difference may be due to a reply that is cut, or over HTTP/2 to one that others follow. */
  private isOfAnEnd(part: string, audited: Observation, plain: Observation): boolean {
    const isCut = audited.isCut && plain.isCut
    const isFollowed = this.transport === 'HTTP/2' && !hasOneReplier(this.program)
    // What follows a reply cuts it, unless it is out by then.
    const isAsWhole = isFollowed || audited.received.isWhole === plain.received.isWhole
    if (part === 'wire') return (isCut || isFollowed) && isAsWhole && isPart(audited.received, plain.received)
    return (isCut && OF_A_CUT.includes(part)) || (isFollowed && OF_A_SECOND_REPLY.includes(part))
  }
}

/**
 * Where a connection is cut, what is held may still get through, or less of it than without the audit: but nothing is
 * whole that is cut without it, and no more is lost than where Node itself keeps a queued reply. How much of a large body
 * gets through is up to the system.
 */
function isBetween(audited: Received, plain: Received, queued: Received): boolean {
  const some = audited.text ?? ''
  const all = plain.text ?? ''
  if (some.startsWith(all)) return audited.isWhole === plain.isWhole || !audited.isWhole
  return all.startsWith(some) && (some.startsWith(queued.text ?? '') || all.length > LARGE)
}

/** How much of a reply gets through before it is cut is a matter of time, and up to the system. */
function isPart({ text: some = '' }: Received, { text: all = '' }: Received): boolean {
  return some.startsWith(all) || all.startsWith(some)
}

function headOf({ text = '' }: Received): string {
  return text.slice(0, text.indexOf('\r\n\r\n'))
}

/** What is held counts as what is not written yet: of that alone a stream says whether it needs to drain. */
const PRESSURE = /(raw\.write|writableNeedDrain) (true|false)/g

function isOfPressure(some: unknown, others: unknown): boolean {
  return JSON.stringify(some).replace(PRESSURE, '$1') === JSON.stringify(others).replace(PRESSURE, '$1')
}

/** What writes twice after its reply's end ends the process in Node itself, when the last byte was not handed over yet. */
function isWriteAfterEnd(audited: Observation, plain: Observation): boolean {
  return extras(audited.parts.process, plain.parts.process).every((one) =>
    String(one).includes('ERR_STREAM_WRITE_AFTER_END'),
  )
}

function isCut(audited: Observation, plain: Observation): boolean {
  return !audited.received.isWhole && !plain.received.isWhole
}

function only({ parts }: Observation, names: readonly string[]): Array<[string, unknown]> {
  return names.map((name) => [name, parts[name]])
}

function callsOf(actor: string): string {
  return `calls of ${actor}`
}
