import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import Fastify from 'fastify'
import { beforeAll, describe, expect, it } from 'vitest'
import audit from '../../../src/index.js'
import { listen } from '../../exchange/runner.js'
import { StagedSink } from '../../support/staged-sink.js'
import { talk, withoutChunks } from './client.js'
import { comesTrue, resolves } from './patience.js'
import type { Seen } from './seen.js'
import { VARIANTS, type Variant } from './variants.js'

/** Keeps what happens inside a server, to be compared as well. */
export type Note = (line: string) => void

/** A server that is asked the same with the audit and without it. */
export interface Subject {
  /** Builds the server; calls `registerAudit` before it registers anything else. */
  build(registerAudit: (app: FastifyInstance) => Promise<void>, note: Note, logger: Logger): Promise<FastifyInstance>
  /** Asks it, one exchange after the other. */
  ask(app: FastifyInstance): Promise<Seen[]>
  /** Replaces what is different each time: session ids, durations. */
  normalise?: ReadonlyArray<readonly [pattern: RegExp, replacement: string]>
  /** Whether bodies are chunked as they happened to arrive from somewhere else: they are compared as a whole then. */
  areChunksArbitrary?: boolean
}

/** Options of Fastify's logger. */
export interface Logger {
  level: string
  stream: { write(line: string): void }
}

/** All that is compared. */
interface Observation {
  /** By the name of the request, in lines, so that a difference is shown where it is. */
  replies: Record<string, string[]>
  /** What the trail holds; without the audit, what it ought to hold of these replies. */
  trail: string[]
  notes: string[]
  log: string[]
  uncaught: string[]
}

/** Noted of a server whose close takes too long. */
const UNCLOSED = 'the server does not close'

/** Beside the subject's own: the date, which every reply has. */
const EVERYWHERE = [[/^date: .*$/gim, 'date: (date)']] as const

/** A server of Fastify's own factory, asked over sockets. */
export function served(
  declare: (app: FastifyInstance, note: Note) => unknown,
  requests: Parameters<typeof talk>[1],
  { factory, ...rest }: Pick<Subject, 'normalise' | 'areChunksArbitrary'> & { factory?: FastifyServerOptions } = {},
): Subject {
  return {
    async build(registerAudit, note, logger) {
      const app: FastifyInstance = Fastify({ logger, ...factory })
      await registerAudit(app)
      // An instance is awaited by nobody: that would boot it.
      const done = declare(app, note)
      if (done instanceof Promise) await done
      return app
    },
    ask: async (app) => talk(await listen(app), requests),
    ...rest,
  }
}

/** Declares the tests of one subject: each way of auditing it is compared with the server as it is without. */
export function itIsTheSame(name: string, subject: Subject): void {
  describe(name, () => {
    let bare: Observation

    beforeAll(async () => {
      bare = await observe(subject)
    })

    it('answers the same each time without the audit, and nothing goes wrong in it', async () => {
      expect(await observe(subject)).toEqual(bare)
      expect(bare.uncaught).toEqual([])
      expect(bare.trail).not.toContain('Complete NaN')
      expect(bare.notes).not.toContain(UNCLOSED)
    })

    it.each(VARIANTS)('is the same with the audit: $name', async (variant) => {
      expect(await observe(subject, variant)).toEqual(bare)
    })
  })
}

/** Builds the subject, asks it, and closes it; holds the trail to what was sent. */
async function observe(subject: Subject, variant?: Variant): Promise<Observation> {
  const notes: string[] = []
  const log: string[] = []
  const uncaught: string[] = []
  const sink = new StagedSink()
  const note = (line: string): void => {
    notes.push(line)
  }
  const logger = { level: 'warn', stream: { write: (line: string) => log.push(...logLine(line)) } }
  const { seen, trail } = await collectingUncaught(uncaught, async () => {
    const app = await subject.build((instance) => registerAudit(instance, sink, variant), note, logger)
    const seen = await subject.ask(app)
    const trail = variant === undefined ? trailOf(seen) : await trailIn(app, sink)
    if (!(await resolves(app.close()))) notes.push(UNCLOSED)
    return { seen, trail }
  })
  return {
    replies: Object.fromEntries(
      seen.map((reply) => [reply.name, readable(normalised(bytesOf(reply, subject), subject))]),
    ),
    trail,
    notes: notes.map((line) => normalised(line, subject)),
    log,
    uncaught,
  }
}

async function registerAudit(app: FastifyInstance, sink: StagedSink, variant: Variant | undefined): Promise<void> {
  if (variant === undefined) return
  sink.received = variant.sink
  sink.complete = variant.sink
  const { deliveryGuarantee, level } = variant
  // An exchange that is still open, although its client has all of it, would keep the server from closing for a minute.
  await app.register(audit, { level, closeTimeout: '60s', sinks: [{ name: 'staged', sink, deliveryGuarantee }] })
}

/** What the trail ought to hold: one Received and one Complete for each request, with the status that was sent. */
function trailOf(seen: readonly Seen[]): string[] {
  return seen.flatMap(({ status }) => ['Received', `Complete ${status}`])
}

/** What it holds, without the messages of errors. */
async function trailIn(app: FastifyInstance, sink: StagedSink): Promise<string[]> {
  if (!(await comesTrue(() => app.audit.stats().open === 0))) return ['exchanges stay open']
  await app.audit.flush()
  return sink.trail().map((entry) => entry.replace(/ \(.*/s, ''))
}

/** Runs something, and keeps which exceptions nobody caught meanwhile. */
async function collectingUncaught<Result>(errors: string[], run: () => Promise<Result>): Promise<Result> {
  const keep = (error: unknown): void => {
    errors.push(String(error))
  }
  process.on('uncaughtException', keep)
  process.on('unhandledRejection', keep)
  try {
    return await run()
  } finally {
    process.off('uncaughtException', keep)
    process.off('unhandledRejection', keep)
  }
}

function bytesOf({ bytes }: Seen, { areChunksArbitrary = false }: Subject): string {
  return areChunksArbitrary ? withoutChunks(bytes) : bytes
}

function normalised(text: string, { normalise = [] }: Subject): string {
  return [...EVERYWHERE, ...normalise].reduce((all, [pattern, replacement]) => all.replace(pattern, replacement), text)
}

/** The lines of a reply; of a long one its beginning, and a digest of it all. */
function readable(bytes: string): string[] {
  return bytes.split('\r\n').map((line) => {
    if (line.length <= 200) return line
    const digest = createHash('sha256').update(line, 'latin1').digest('hex').slice(0, 16)
    return `${line.slice(0, 60)}… (${line.length} bytes, digest ${digest})`
  })
}

/** What a line of the log says, without what differs each time; nothing of a line of the audit's own. */
function logLine(line: string): string[] {
  const { level, msg, err }: { level: number; msg: string; err?: { code?: string; message?: string } } =
    JSON.parse(line)
  if (msg.startsWith('fastify-audit-log:')) return []
  return [[level, msg, err?.code, err?.message].filter((part) => part !== undefined).join(' ')]
}
