import { expect, onTestFinished, vi } from 'vitest'
import type { FileSink, FileSinkOptions, fileSink } from '../../../../src/sinks/file/file-sink.js'
import { ArchiveNames } from '../../../../src/sinks/file/names.js'
import type { SinkContext } from '../../../../src/sinks/sink.js'
import { randomFrom } from '../../../support/random.js'
import { entry, linesOf, ManualClock } from '../world.js'
import { Disk } from './disk.js'
import type { Random } from './file-node.js'
import { Machine, type Plan } from './machine.js'

const DIRECTORY = '/var/log/audit'
const PATH = `${DIRECTORY}/audit.log`
const NAMES = new ArchiveNames(PATH)
const STEPS = 40
const BOOTS = 3
/** Within this time a lock whose holder cannot be looked up is known to be dead. */
const LOCK_TIMEOUT = 15_000

/** Copies of the sink that share nothing, as two processes do not. */
type Processes = readonly [typeof fileSink, typeof fileSink]

/** The seeds with which acknowledged entries are lost; throws when another promise is broken, with the seed. */
export async function lossesOf({ from, to, fsync }: { from: number; to: number; fsync: boolean }): Promise<number[]> {
  // The lock's timer goes by the clock of the model.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const processes = await twoProcesses()
  const losses: number[] = []
  for (let seed = from; seed <= to; seed++) {
    const ordeal = new Ordeal(processes, seed, fsync)
    try {
      await ordeal.run()
    } catch (error) {
      throw new Error(`power loss with the seed ${seed}`, { cause: error })
    }
    if (ordeal.lost.size > 0) losses.push(seed)
  }
  return losses
}

async function twoProcesses(): Promise<Processes> {
  const load = async (): Promise<typeof fileSink> => {
    vi.resetModules()
    return (await import('../../../../src/sinks/file/file-sink.js')).fileSink
  }
  return [await load(), await load()]
}

/** A sink on a disk that loses its power again and again, and the fates of its entries. */
class Ordeal {
  /** Entries that were acknowledged and are not in the files. */
  readonly lost = new Set<number>()
  private readonly clock = new ManualClock()
  private readonly disk = new Disk(this.clock)
  private readonly random: Random
  private readonly options: FileSinkOptions
  private readonly stored = new Set<number>()
  private readonly refused = new Set<number>()
  /** Entries that were in archives when these were deleted: a power loss may bring them back. */
  private readonly deleted = new Set<number>()
  private last = 0

  constructor(
    private readonly processes: Processes,
    seed: number,
    fsync: boolean,
  ) {
    this.random = randomFrom(seed)
    this.options = {
      path: PATH,
      mode: 0o600,
      dirMode: 0o700,
      rotateBytes: 1500,
      rotateDuration: 60_000,
      rotateMaxFiles: this.random() < 0.5 ? 3 : 0,
      rotateMaxAge: 0,
      rotateMinAge: 0,
      fsync,
      lockTimeout: LOCK_TIMEOUT,
    }
  }

  /** The whole of it: boots that end in a power loss, and one that is left in peace. */
  async run(): Promise<void> {
    for (let boot = 0; boot < BOOTS; boot++) {
      const plan = this.plan()
      const machine = new Machine(this.disk, this.clock, plan)
      const sink = this.sink(boot, machine)
      if ((await this.opened(sink)) && plan.failAt === undefined) this.check()
      for (let step = 0; step < STEPS && !machine.isOff; step++) await this.step(sink)
      machine.isOff = true
      this.noteDeleted(machine)
      await settled(sink.close?.())
      this.disk.lose(this.random)
      this.pass(this.below(60_000))
    }
    await this.end()
  }

  private async end(): Promise<void> {
    const machine = new Machine(this.disk, this.clock)
    const sink = this.sink(BOOTS, machine)
    await sink.open?.(CONTEXT)
    this.check()
    await sink.write([entry(this.text(), this.clock.now())])
    this.stored.add(this.last)
    await sink.close?.()
    this.noteDeleted(machine)
    this.check()
    expect(machine.descriptorCount).toBe(0)
  }

  /** Half of the boots see a call fail as well, and half of these lose their power while that is being mended. */
  private plan(): Plan {
    const at = 1 + this.below(250)
    const isLastDone = this.random() < 0.5
    const how = this.random()
    if (how < 0.5) return { offAt: at, isLastDone }
    return { failAt: at, offAt: at + 1 + this.below(how < 0.75 ? 12 : 250), isLastDone }
  }

  private sink(boot: number, fs: Machine): FileSink {
    const sleep = async (milliseconds: number): Promise<void> => this.pass(milliseconds)
    const make = this.processes[boot % 2] ?? this.processes[0]
    return make(this.options, { fs, clock: this.clock, sleep })
  }

  /** Opens the sink. Failures must pass: a lock must not be in the way for longer than it may be held. */
  private async opened(sink: FileSink): Promise<boolean> {
    const error = await settled(sink.open?.(CONTEXT))
    if (error !== undefined) expect(error).toMatchObject({ code: 'FST_AUDIT_SINK_UNAVAILABLE' })
    return error === undefined
  }

  private async step(sink: FileSink): Promise<void> {
    const what = this.random()
    if (what < 0.7) await this.write(sink)
    else if (what < 0.9) await settled(sink.idle?.())
    else if (what < 0.95) await settled(sink.reopen?.())
    else this.pass(60_000)
    this.pass(this.below(700))
  }

  private async write(sink: FileSink): Promise<void> {
    const numbers: number[] = []
    const batch = Array.from({ length: 1 + this.below(5) }, () => {
      const made = entry(this.text(), this.clock.now())
      numbers.push(this.last)
      return made
    })
    const error = await settled(sink.write(batch))
    if (error === undefined) for (const number of numbers) this.stored.add(number)
    else if (!isInDoubt(error)) for (const number of numbers) this.refused.add(number)
  }

  private text(): string {
    this.last++
    return `${this.last} ${'x'.repeat(this.below(this.random() < 0.1 ? 5000 : 200))}`
  }

  private noteDeleted({ deleted }: Machine): void {
    for (const { name, text } of deleted) {
      if (NAMES.parse(name) !== undefined) for (const number of numbersOf(text, false)) this.deleted.add(number)
    }
  }

  /** Expects the files to be whole lines, each entry at most once and in order. Notes missing entries. */
  private check(): void {
    const texts = this.disk.texts(DIRECTORY)
    const names = [...NAMES.among([...texts.keys()]).map(({ name }) => name), NAMES.active]
    const found = names.flatMap((name) => numbersOf(texts.get(name) ?? '', this.options.fsync))
    const present = new Set(found)
    for (const number of this.stored) if (!present.has(number) && !this.deleted.has(number)) this.lost.add(number)
    if (!this.options.fsync) return
    expect(found, 'each once, in the order of their writing').toEqual([...present].sort((a, b) => a - b))
    expect(
      found.filter((number) => this.refused.has(number)),
      'what was reported as not stored',
    ).toEqual([])
  }

  private pass(milliseconds: number): void {
    this.clock.advance(milliseconds)
    vi.advanceTimersByTime(milliseconds)
  }

  private below(limit: number): number {
    return Math.floor(this.random() * limit)
  }
}

const LINE = /^\{"created_at":"[^"\0]+","text":"(\d+) x*"\}$/

/** The numbers of the entries in a file, which must hold whole lines alone when it `isWhole`. */
function numbersOf(text: string, isWhole: boolean): number[] {
  const lines = isWhole ? linesOf(text) : text.split('\n')
  return lines.flatMap((line) => {
    const number = LINE.exec(line)?.[1]
    if (number === undefined && isWhole) throw new Error(`not a whole line: ${JSON.stringify(line)}`)
    return number === undefined ? [] : [Number(number)]
  })
}

/** The reason of a rejected promise, if it was rejected. */
async function settled(promise: Promise<void> | undefined): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  return undefined
}

function isInDoubt(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'FST_AUDIT_BATCH'
}

const nothing = (): void => undefined
const CONTEXT: SinkContext = {
  name: 'audit',
  log: { info: nothing, warn: nothing, error: nothing },
  record: nothing,
  doubt: nothing,
}
