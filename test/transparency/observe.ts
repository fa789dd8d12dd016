import { ask, type Patience, type Received, type Transport } from './clients.js'
import { ACTORS, type Program } from './program.js'
import { Run, setCurrentRun } from './run.js'
import type { Kind, Servers } from './servers.js'

/** Parts that are compared, each by itself. */
export interface Observation {
  readonly parts: Readonly<Record<string, unknown>>
  readonly hasLateStatus: boolean
  /** Something was called on the raw response after its end. */
  readonly hasLateCalls: boolean
  readonly received: Received
  /** The reply did not come to its end. */
  readonly isCut: boolean
  /** Mistakes in the trail, independent of other servers. */
  readonly trail: readonly string[]
}

/** Plain, and Node itself keeps the reply back. */
export interface Queued {
  readonly queuedTurns: number
}

export function isQueued(kind: Kind | Queued): kind is Queued {
  return typeof kind === 'object' && 'queuedTurns' in kind
}

/** Turns of the event loop without anything noted after which nothing more is expected. */
const QUIET_TURNS = 40

/** Turns without a note after which a client leaves a connection that nobody closes. */
const PATIENCE_TURNS = 400

/** Runs a program on one server, to its very end. */
export async function observe(
  program: Program,
  kind: Kind | Queued,
  transport: Transport,
  servers: Servers,
): Promise<Observation> {
  const served = await servers.get(isQueued(kind) ? 'plain' : kind, transport === 'HTTP/2' ? 'HTTP/2' : 'HTTP/1')
  const run = new Run(program)
  run.queuedTurns = isQueued(kind) ? kind.queuedTurns : 0
  setCurrentRun(run)
  const patience: Patience = { leave: () => undefined }
  const received = ask(transport, served, program, patience, run.queuedTurns)
  const hasEnded = await ended(run)
  const reply = await leaving(received, patience)
  const { status, seen } = reply
  await quiet(run)
  const trail = (await served.trail?.check(run, status)) ?? []
  setCurrentRun(null)
  const { calls, notes, hasLateStatus } = run
  notes.outcomes.sort()
  return {
    parts: { wire: seen, ...callsBy(calls), ...notes },
    hasLateStatus,
    hasLateCalls: notes.lateCalls.length > 0,
    received: reply,
    isCut: !reply.isWhole || !hasEnded,
    trail,
  }
}

/** Waits until a program can do nothing more, and ends what it has left open: no client waits for ever. */
async function ended(run: Run): Promise<boolean> {
  const raw = await run.raw
  await quiet(run)
  const hasEnded = raw.writableEnded
  if (!raw.writableEnded && !raw.destroyed) {
    run.note('ends', 'left open')
    raw.destroy()
  } else if (raw.writableCorked > 0) {
    raw.uncork()
  }
  return hasEnded
}

/** Returns what a client receives; so far, if the connection stays open. */
async function leaving(received: Promise<Received>, patience: Patience): Promise<Received> {
  let isDone = false
  const done = received.finally(() => {
    isDone = true
  })
  for (let turn = 0; turn < PATIENCE_TURNS && !isDone; turn++) await new Promise((resolve) => setImmediate(resolve))
  if (!isDone) patience.leave()
  return done
}

async function quiet(run: Run): Promise<void> {
  let noted = run.noted
  for (let turn = 0; turn < QUIET_TURNS || run.active > 0; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    if (noted !== run.noted) turn = 0
    noted = run.noted
  }
}

/** Each part of a program by itself. */
function callsBy(calls: Readonly<Record<string, string[]>>): Record<string, string[]> {
  return Object.fromEntries(['handler', ...ACTORS].map((actor) => [`calls of ${actor}`, calls[actor] ?? []]))
}

/** Log line of Fastify for a source that goes on after its reply's end, unless Node has released the reply by then. */
const LATE_LOG = /,"40 response terminated with an error with headers already sent [^"]*"/g

/** End of an HTTP/2 stream that is written to after its end, before that end is sent. */
const LATE_RESET = /"isWhole":(true|false),"staysOpen":false,"reset":\d/

/** The parts in which one server differs from another. */
export function differences(seen: Observation, other: Observation): string[] {
  const ignoresStatus = seen.hasLateStatus || other.hasLateStatus
  const ignoresLate = seen.hasLateCalls || other.hasLateCalls
  const text = ({ parts }: Observation, part: string): string => {
    const json = JSON.stringify(parts[part])
    if (part === 'logs' && ignoresLate) return json.replace(LATE_LOG, '')
    if (part === 'wire' && ignoresLate) return json.replace(LATE_RESET, '')
    return ignoresStatus && part.startsWith('end') ? json.replace(/ \d{3}"/g, '"') : json
  }
  return Object.keys(seen.parts).filter((part) => {
    // An error that would have been uncaught and is not is no loss; nor is a source that would not have been closed.
    if (part === 'process') return extras(seen.parts[part], other.parts[part]).length > 0
    if (part === 'sources') return extras(other.parts[part], seen.parts[part]).length > 0
    return text(seen, part) !== text(other, part)
  })
}

/** Returns the items that are in one list more often than in another. */
export function extras(some: unknown, others: unknown): unknown[] {
  const rest = Array.isArray(others) ? [...others] : []
  return (Array.isArray(some) ? some : []).filter((one) => {
    const index = rest.indexOf(one)
    if (index >= 0) rest.splice(index, 1)
    return index < 0
  })
}
