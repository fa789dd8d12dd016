import { expect, vi } from 'vitest'
import { Delivery } from '../../../src/delivery/delivery.js'
import { Entry } from '../../../src/delivery/entry.js'
import { Draft, jsonFormat } from '../../../src/event/draft.js'
import type { LifecycleDetails, LifecycleType } from '../../../src/event/event.js'
import { type FileSink, fileSink } from '../../../src/sinks/file/file-sink.js'
import { ArchiveNames } from '../../../src/sinks/file/names.js'
import type { SinkContext } from '../../../src/sinks/sink.js'
import type { Fault, FaultyFs } from './faulty-fs.js'
import { entryOf, HOUR, linesOf, type ManualClock } from './world.js'

/** The surroundings of a scenario. */
export interface Stage {
  readonly path: string
  readonly fs: FaultyFs
  readonly clock: ManualClock
  /** The text of each file beside the audit file, by name. */
  texts(): ReadonlyMap<string, string>
  /** The number of open descriptors, if it is known. */
  descriptors?(): number
}

interface Asked {
  readonly number: number
  readonly entry: Entry
  /** Its fates, as its waiter was told. */
  readonly told: string[]
}

const BATCHES = 12
/** Batches before which the file becomes old. */
const LONG_PAUSES = [4, 8]
const REOPENING = 6
/** From this batch on, everything works again and must be stored. */
const HEALING = 10
const TIMEOUT = 1000
const TICK = 1000
/** Turns of the event loop in which no call is made: the sink is at rest. */
const REST = 6
const KEPT = 3
/** The number of the next process's only entry. */
const NEXT = 1_000_000
const LEGAL = /^audit\.log(\.(next|probe|lock(\.[0-9a-f-]{36}|\.claim-[0-9a-f-]{36})?|torn-[0-9TZ.-]+))?$/

/**
 * The life of a sink in its lane, during which one fault is made to happen: opening, batches of two, rotation by size
 * and by age, retention, reopening, closing, and the next process.
 */
export class Scenario {
  readonly fault: ReturnType<FaultyFs['plan']>
  private readonly isDone: boolean
  private readonly names: ArchiveNames
  private readonly asked: Asked[] = []
  /** The lines of every archive that was ever seen. */
  private readonly archives = new Map<string, readonly Line[]>()
  private delivery: Delivery
  private isHealed = false
  /** The number of entries offered before the fault was gone. */
  private mustBeStored = Number.POSITIVE_INFINITY

  constructor(
    private readonly stage: Stage,
    private readonly fsync: boolean,
    fault: Fault,
  ) {
    this.names = new ArchiveNames(stage.path)
    this.fault = stage.fs.plan(fault)
    this.isDone = fault.isDone ?? false
    this.delivery = this.lane()
  }

  async run(): Promise<void> {
    await this.boot()
    for (let batch = 0; batch < BATCHES; batch++) await this.step(batch)
    await this.close()
    this.stage.fs.heal()
    await this.rest()
    await this.next()
    this.check()
  }

  private async boot(): Promise<void> {
    const opening = settled(this.delivery.open(TIMEOUT))
    await this.pass(this.stage.fs.hanging > 0 ? TIMEOUT : 0)
    await this.pass(TIMEOUT)
    const error = await opening
    if (error === undefined) return
    // A failed boot leaves nothing that stops the next one.
    expect(error).toMatchObject({ code: 'FST_AUDIT_SINK_OPEN_FAILED' })
    await this.delivery.release(TIMEOUT)
    this.heal()
    this.delivery = this.lane()
    await this.boot()
  }

  private async step(batch: number): Promise<void> {
    if (batch === HEALING && this.fault.hits > 0) await this.recover()
    this.ask()
    this.ask()
    await this.rest()
    if (batch === REOPENING) void settled(this.delivery.reopen())
    if (LONG_PAUSES.includes(batch)) this.stage.clock.advance(HOUR)
    await this.pass(TICK)
    this.look()
  }

  private async recover(): Promise<void> {
    this.heal()
    await this.pass(TICK)
    await this.pass(TICK)
    this.mustBeStored = this.asked.length
  }

  private heal(): void {
    this.stage.fs.heal()
    this.isHealed = true
  }

  private async close(): Promise<void> {
    const closing = this.delivery.close(2 * TIMEOUT, () => ({ stored: 0, lost: 0, in_doubt: 0, open: 0 }))
    await this.rest()
    await this.pass(2 * TIMEOUT)
    await closing
  }

  /** Runs the next process, which must find nothing in its way. */
  private async next(): Promise<void> {
    const sink = this.sink()
    await sink.open?.(CONTEXT)
    await sink.write([entryOf(`{"seq":0,"payload":{"number":${NEXT}}}`)])
    await sink.close?.()
    this.look()
  }

  private ask(): void {
    const told: string[] = []
    const number = this.asked.length + 1
    const waiter = {
      takesReserve: true,
      settled: ({ fate }: Entry) => void told.push(fate),
      resolved: ({ fate }: Entry) => void told.push(fate),
    }
    const entry = new Entry(this.draft(`"type":"audit","number":${number}`), this.delivery, waiter, false)
    if (!this.delivery.offer(entry)) told.push(entry.fate)
    this.asked.push({ number, entry, told })
  }

  /** Lets time pass, and all its effects happen. */
  private async pass(milliseconds: number): Promise<void> {
    this.stage.clock.advance(milliseconds)
    vi.advanceTimersByTime(milliseconds)
    await this.rest()
  }

  private async rest(): Promise<void> {
    const { fs } = this.stage
    for (let turns = 0; turns < REST; turns++) {
      await new Promise((resolve) => setImmediate(resolve))
      if (fs.outstanding > fs.hanging) turns = 0
    }
  }

  /** Expects each archive to be unchanged, longer, or deleted. */
  private look(): void {
    for (const [name, text] of this.stage.texts()) {
      if (this.names.parse(name) !== undefined) this.archives.set(name, readLines(text.replace(/[^\n]*$/, '')))
    }
  }

  private check(): void {
    if (!this.leavesDescriptors) expect(this.stage.descriptors?.() ?? 0).toBe(0)
    const texts = this.stage.texts()
    const illegal = [...texts.keys()].filter((name) => !LEGAL.test(name) && this.names.parse(name) === undefined)
    expect(illegal, 'names that the sink does not give').toEqual([])
    expect(texts.has('audit.log.lock'), 'a lock is left').toBe(false)
    expect(texts.get('audit.log.next') ?? '', 'a successor that was written to').toBe('')
    const present = this.names.among([...texts.keys()]).map(({ name }) => name)
    const deleted = [...this.archives.keys()].filter((name) => !texts.has(name))
    if (deleted.length > 0) expect(present.length).toBeGreaterThanOrEqual(KEPT)
    for (const name of deleted) expect(name < (present[0] ?? ''), 'the oldest are deleted').toBe(true)
    const lines = [...present, 'audit.log'].flatMap((name) => readLines(texts.get(name) ?? ''))
    const numbers = lines.flatMap(({ payload }) => payload.number ?? [])
    expect(numbers, 'each once, in order').toEqual([...new Set(numbers)].sort((a, b) => a - b))
    expect(numbers.at(-1)).toBe(NEXT)
    const ever = [...lines, ...deleted.flatMap((name) => this.archives.get(name) ?? [])]
    this.checkFates(new Set(ever.map(({ payload }) => payload.number)))
    if (this.isHealed) this.checkAccount(ever)
  }

  /** A call to close that fails, or one to open that is done and then reported as failed, leaves one for good. */
  private get leavesDescriptors(): boolean {
    const { struck } = this.fault
    return struck.includes('close') || (this.isDone && struck.includes('open'))
  }

  /** Expects one answer for each entry, or two if the first was in doubt, and the last one to be true. */
  private checkFates(found: ReadonlySet<number | undefined>): void {
    if (this.fault.hits === 0) this.mustBeStored = 0
    const wrong: unknown[] = []
    for (const [index, { number, told }] of this.asked.entries()) {
      const fate = told.at(-1)
      const isFound = found.has(number)
      const isTrue = fate === 'in doubt' || (fate === 'stored') === isFound
      const isEnough = index < this.mustBeStored || fate === 'stored'
      const isTold = told.length === 1 || (told.length === 2 && told[0] === 'in doubt')
      if (!isTrue || !isEnough || !isTold) wrong.push({ number, told, isFound })
    }
    expect(wrong, 'what was said of entries is not what the files say').toEqual([])
  }

  /** Expects every number in the trail, in one of its gaps, or with a refused request. */
  private checkAccount(lines: readonly Line[]): void {
    const { offered, stored, notStored, inDoubt } = this.delivery.stats()
    expect(stored + notStored + inDoubt).toBe(offered)
    const refused = this.asked.filter(({ told }) => told.at(-1) === 'not stored').map(({ entry }) => entry.seq)
    const accounted = new Set([...refused, ...lines.map(({ seq }) => seq)])
    let doubted = 0
    for (const { payload } of lines) {
      if (payload.gap === undefined) continue
      doubted += payload.gap.in_doubt
      for (let seq = payload.gap.from; seq <= payload.gap.to; seq++) accounted.add(seq)
    }
    expect(doubted, 'what is in doubt is counted, and told').toBe(inDoubt)
    const missing = Array.from({ length: offered }, (_, index) => index + 1).filter((seq) => !accounted.has(seq))
    expect(missing, 'numbers that the trail does not explain').toEqual([])
  }

  private sink(): FileSink {
    const { path, fs, clock } = this.stage
    const options = {
      path,
      mode: 0o600,
      dirMode: 0o700,
      rotateBytes: 500,
      rotateDuration: HOUR,
      rotateMaxFiles: KEPT,
      rotateMaxAge: 0,
      rotateMinAge: 0,
      fsync: this.fsync,
      lockTimeout: 0,
    }
    return fileSink(options, { fs, clock, sleep: async (milliseconds) => clock.advance(milliseconds) })
  }

  private lane(): Delivery {
    return new Delivery(this.sink(), {
      name: 'audit',
      enforced: true,
      format: jsonFormat,
      timeout: TIMEOUT,
      maxQueue: 10_000,
      maxQueueBytes: 1024 * 1024,
      log: CONTEXT.log,
      lifecycle: <Type extends LifecycleType>(type: Type, details: LifecycleDetails[Type]) =>
        this.draft(`"type":"${type}","${type}":${JSON.stringify(details)}`),
    })
  }

  private draft(payload: string): Draft {
    const time = new Date(this.stage.clock.now()).toISOString()
    return new Draft(`{"created_at":"${time}","seq":`, `,"payload":{${payload}}}`)
  }
}

/** The parsed content of a line of the scenario. */
interface Line {
  readonly seq: number
  readonly payload: { readonly number?: number; readonly gap?: LifecycleDetails['gap'] }
}

/** The lines of a file, which must hold whole ones alone. */
function readLines(text: string): Line[] {
  return linesOf(text).map((line) => JSON.parse(line))
}

async function settled(promise: Promise<void>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  return undefined
}

const nothing = (): void => undefined
const CONTEXT: SinkContext = {
  name: 'audit',
  log: { info: nothing, warn: nothing, error: nothing },
  record: nothing,
  doubt: nothing,
}
