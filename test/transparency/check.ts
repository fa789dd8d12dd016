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

/** Runs the same program on other servers without the audit, but only if there is a difference to explain. */
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
    // Bytes after the end are already in the stream that the caller reads.
    if (this.transport === 'inject as a stream' && (audited.hasLateCalls || plain.hasLateCalls)) {
      parts = parts.filter((part) => part !== 'wire')
    }
    // Without the audit this exception ends the process, or `inject`.
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

  /** Returns true if a cut reply, or over HTTP/2 a reply followed by others, may explain a difference. */
  private isOfAnEnd(part: string, audited: Observation, plain: Observation): boolean {
    const isCut = audited.isCut && plain.isCut
    const isFollowed = this.transport === 'HTTP/2' && !hasOneReplier(this.program)
    // A second reply cuts the first, unless that is out by then.
    const isAsWhole = isFollowed || audited.received.isWhole === plain.received.isWhole
    if (part === 'wire') return (isCut || isFollowed) && isAsWhole && isPart(audited.received, plain.received)
    return (isCut && OF_A_CUT.includes(part)) || (isFollowed && OF_A_SECOND_REPLY.includes(part))
  }
}

/**
 * Compares a reply whose connection is cut. Held bytes may still get through, or fewer of them than without the audit.
 * But a reply that is cut without the audit must not be whole with it, and no more may be lost than when Node itself keeps
 * a queued reply. The system decides how much of a large body gets through.
 */
function isBetween(audited: Received, plain: Received, queued: Received): boolean {
  const some = audited.text ?? ''
  const all = plain.text ?? ''
  if (some.startsWith(all)) return audited.isWhole === plain.isWhole || !audited.isWhole
  return all.startsWith(some) && (some.startsWith(queued.text ?? '') || all.length > LARGE)
}

/** Accepts any part of a cut reply: how much of it gets through depends on time and on the system. */
function isPart({ text: some = '' }: Received, { text: all = '' }: Received): boolean {
  return some.startsWith(all) || all.startsWith(some)
}

function headOf({ text = '' }: Received): string {
  return text.slice(0, text.indexOf('\r\n\r\n'))
}

/** Answers about back pressure; they differ because held bytes count as not written yet. */
const PRESSURE = /(raw\.write|writableNeedDrain) (true|false)/g

function isOfPressure(some: unknown, others: unknown): boolean {
  return JSON.stringify(some).replace(PRESSURE, '$1') === JSON.stringify(others).replace(PRESSURE, '$1')
}

/** Recognizes two writes after the end: Node itself ends the process if the last byte was not handed over yet. */
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
