import fc from 'fast-check'
import { expect } from 'vitest'
import type { Clock } from '../../../src/clock.js'
import { type FileSink, type FileSinkOptions, fileSink } from '../../../src/sinks/file/file-sink.js'
import { ArchiveNames } from '../../../src/sinks/file/names.js'
import { Disk } from './model/disk.js'
import { Machine } from './model/machine.js'
import { entry, HOUR, START } from './world.js'

const DAY = 24 * HOUR
const YEAR = 365 * DAY
const SECOND = 1000

/** A clock whose time of day can be set. */
class SettableClock implements Clock {
  passed = 0
  offset = 0
  now = (): number => START + this.passed + this.offset
  monotonic = (): number => this.passed
}

/** A step in the life of a server. */
type Step = { do: 'write' } | { do: 'wait'; time: number } | { do: 'set'; by: number } | { do: 'restart' }

const MIN_AGE = 10 * DAY
const MAX_AGE = 20 * DAY
const PATH = '/audit/audit.log'
const NAMES = new ArchiveNames(PATH)

const wait = fc.oneof(fc.integer({ min: 1, max: 90 * SECOND }), fc.integer({ min: HOUR, max: 6 * DAY }))
const jump = fc.oneof(
  fc.constantFrom(-2 * YEAR, -60 * DAY, -DAY, -90 * SECOND, 0, 0, 1500, DAY, 60 * DAY, 2 * YEAR),
  fc.integer({ min: -YEAR, max: YEAR }),
)
const calm = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Step>({ do: 'write' }) },
  { weight: 3, arbitrary: wait.map((time): Step => ({ do: 'wait', time })) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'restart' }) },
)
const any = fc.oneof(
  { weight: 4, arbitrary: calm },
  { weight: 2, arbitrary: jump.map((by): Step => ({ do: 'set', by })) },
)

/** A server on a disk of its own, and the real time of each of its archives. */
class Server {
  readonly clock = new SettableClock()
  readonly machine = new Machine(new Disk(this.clock), this.clock)
  /** By name, in real time; a name can be given again. */
  readonly made = new Map<string, number>()
  /** The start of the current process. */
  private openedAt = 0
  private deletions = 0
  private sink: FileSink | undefined

  constructor(private readonly limits: Pick<FileSinkOptions, 'rotateMaxFiles' | 'rotateMaxAge' | 'rotateMinAge'>) {}

  /**
   * Tells whether due deletions may no longer wait. For an hour after a start they may: the server may have been off, or
   * the clock be wrong.
   */
  get isSettled(): boolean {
    return this.clock.passed - this.openedAt > HOUR + 2 * 61 * SECOND
  }

  async open(): Promise<void> {
    this.openedAt = this.clock.passed
    const { clock, machine: fs } = this
    const options = { path: PATH, mode: 0o600, dirMode: 0o700, rotateBytes: 1, rotateDuration: 0, fsync: false }
    const sleep = async (time: number): Promise<void> => {
      clock.passed += time
    }
    this.sink = fileSink({ ...options, ...this.limits, lockTimeout: 0 }, { fs, clock, sleep })
    await this.sink.open?.(CONTEXT)
    await this.idle()
  }

  async step(step: Step): Promise<void> {
    if (step.do === 'write') {
      const lines = ['a', 'b', 'c'].map((text) => entry(text, this.clock.now()))
      await this.sink?.write(lines)
    }
    if (step.do === 'wait') this.clock.passed += step.time
    if (step.do === 'set') this.clock.offset = step.by
    // Nothing on the disk can tell a clock that is ahead from a server that was off.
    if (step.do === 'restart' && this.clock.offset <= 0) {
      await this.close()
      await this.open()
    }
    await this.idle()
  }

  /** Lets a second pass, for retention. */
  async idle(): Promise<void> {
    this.clock.passed += 1 * SECOND
    await this.sink?.idle?.()
    await this.look()
  }

  async close(): Promise<void> {
    await this.sink?.close?.()
  }

  archives(): string[] {
    return [...this.made.keys()]
  }

  private async look(): Promise<void> {
    const { deleted } = this.machine
    for (const { name } of deleted.slice(this.deletions)) {
      const made = this.made.get(name)
      if (made === undefined) continue
      // The age of an earlier process's archive is known from the disk, to a minute.
      expect(this.clock.passed - made, name).toBeGreaterThanOrEqual(this.limits.rotateMinAge - 62 * SECOND)
      this.made.delete(name)
    }
    this.deletions = deleted.length
    for (const { name } of NAMES.among(await this.machine.readdir('/audit'))) {
      if (!this.made.has(name)) this.made.set(name, this.clock.passed)
    }
  }
}

const CONTEXT = {
  name: 'audit',
  log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  record: () => undefined,
  doubt: () => undefined,
}

const LIMITS = fc.constantFrom(
  { rotateMaxFiles: 0, rotateMaxAge: MAX_AGE, rotateMinAge: MIN_AGE },
  { rotateMaxFiles: 2, rotateMaxAge: 0, rotateMinAge: MIN_AGE },
  { rotateMaxFiles: 2, rotateMaxAge: MAX_AGE, rotateMinAge: MIN_AGE },
)

/**
 * Expects no archive younger than rotateMinAge in real time to be deleted, whatever the clock does, and none to be kept for
 * ever.
 */
export async function keepsWhatIsYoung(numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(LIMITS, fc.array(any, { minLength: 5, maxLength: 60 }), async (limits, steps) => {
      const server = new Server(limits)
      await server.open()
      for (const step of steps) await server.step(step)
      // With a clock that is right from now on, all of it is deleted when the farthest of the wrong times is over, twice.
      server.clock.offset = 0
      await server.step({ do: 'wait', time: 5 * YEAR })
      await server.step({ do: 'wait', time: 2 * HOUR })
      expect(server.archives().length).toBeLessThanOrEqual(limits.rotateMaxAge > 0 ? 1 : limits.rotateMaxFiles)
      await server.close()
    }),
    { numRuns },
  )
}

/** Expects every due archive to be deleted, with a clock that is right. */
export async function deletesWhatIsDue(numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(LIMITS, fc.array(calm, { minLength: 5, maxLength: 60 }), async (limits, steps) => {
      const server = new Server(limits)
      await server.open()
      for (const step of steps) {
        await server.step(step)
        await server.step({ do: 'wait', time: 61 * SECOND })
        if (!server.isSettled) continue
        const ages = [...server.made.values()].map((made) => server.clock.passed - made)
        if (limits.rotateMaxAge > 0) expect(Math.max(0, ...ages)).toBeLessThanOrEqual(MAX_AGE + 3 * 61 * SECOND)
        const mayGo = ages.filter((age) => age > MIN_AGE + 3 * 61 * SECOND).length
        const tooMany = limits.rotateMaxFiles === 0 ? 0 : ages.length - limits.rotateMaxFiles
        expect(Math.min(tooMany, mayGo)).toBeLessThanOrEqual(0)
      }
      await server.close()
    }),
    { numRuns },
  )
}
