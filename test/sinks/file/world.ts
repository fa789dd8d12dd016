import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Clock } from '../../../src/clock.js'
import type { LifecycleDetails } from '../../../src/event/event.js'
import { type FileSink, type FileSinkOptions, fileSink } from '../../../src/sinks/file/file-sink.js'
import { nodeFileSystem } from '../../../src/sinks/file/fs.js'
import { ArchiveNames } from '../../../src/sinks/file/names.js'
import type { AuditEntry, SinkContext } from '../../../src/sinks/sink.js'
import { FaultyFs } from './faulty-fs.js'

export const START = Date.parse('2026-03-24T17:09:35.704Z')
export const HOUR = 3_600_000

/** A clock that only moves when told, or when somebody sleeps. */
export class ManualClock implements Clock {
  private passed = 0
  now = (): number => START + this.passed
  monotonic = (): number => this.passed
  advance(milliseconds: number): void {
    this.passed += milliseconds
  }
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'audit-file-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** An entry whose line is of the format `json`, begun at `time`. */
export function entry(text: string, time = START): AuditEntry {
  return entryOf(`{"created_at":"${new Date(time).toISOString()}","text":${JSON.stringify(text)}}`)
}

/** An entry of any line. */
export function entryOf(line: string): AuditEntry {
  return {
    line,
    get event(): never {
      throw new Error('the file sink stores lines')
    },
  }
}

/** Puts archives, and other files, into a directory as they are found later: an archive was not changed since it was rotated. */
export function put(directory: string, ...files: string[]): void {
  const names = new ArchiveNames(join(directory, 'audit.log'))
  for (const name of files) {
    writeFileSync(join(directory, name), 'x')
    const time = (names.parse(name)?.time ?? START) / 1000
    utimesSync(join(directory, name), time, time)
  }
}

/** Resolves when `condition` holds; the test's own timeout is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

export interface World {
  directory: string
  path: string
  clock: ManualClock
  fs: FaultyFs
  logged: string[]
  recorded: Array<{ type: string } & LifecycleDetails['rotation' | 'retention' | 'torn']>
  /** The number of stored entries that the sink put in doubt later. */
  doubted: number[]
  context: SinkContext
  /** Another sink, of another process as far as the clock and the file system go. */
  sink(more?: Partial<FileSinkOptions>): FileSink
  opened(more?: Partial<FileSinkOptions>): Promise<FileSink>
  read(name?: string): string
  /** The texts of the entries in a file. */
  texts(name?: string): unknown[]
  names(): string[]
}

/** A directory of its own, a clock that stands still, and a file system that fails on demand. */
export function world(): World {
  const directory = temporaryDirectory()
  const path = join(directory, 'audit.log')
  const clock = new ManualClock()
  const fs = new FaultyFs(nodeFileSystem, clock)
  const logged: string[] = []
  const recorded: World['recorded'] = []
  const doubted: number[] = []
  const log = (_details: object, message: string): void => void logged.push(message)
  const context: SinkContext = {
    name: 'audit',
    log: { info: log, warn: log, error: log },
    record: (type, details) => void recorded.push({ type, ...details }),
    doubt: (entries) => void doubted.push(entries),
  }
  const sleep = async (milliseconds: number): Promise<void> => clock.advance(milliseconds)
  const options: FileSinkOptions = {
    path,
    mode: 0o600,
    dirMode: 0o700,
    rotateBytes: 0,
    rotateDuration: 0,
    rotateMaxFiles: 0,
    rotateMaxAge: 0,
    rotateMinAge: 0,
    fsync: false,
    lockTimeout: 0,
  }
  const open: FileSink[] = []
  onTestFinished(async () => {
    fs.heal()
    for (const sink of open) await sink.close?.()
  })
  const sink = (more: Partial<FileSinkOptions> = {}): FileSink => {
    const made = fileSink({ ...options, ...more }, { fs, clock, sleep })
    open.push(made)
    return made
  }
  const read = (name = 'audit.log'): string => readFileSync(join(directory, name), 'utf8')
  return {
    directory,
    path,
    clock,
    fs,
    logged,
    recorded,
    doubted,
    context,
    sink,
    async opened(more) {
      const made = sink(more)
      await made.open?.(context)
      return made
    },
    read,
    texts: (name) => linesOf(read(name)).map((line) => JSON.parse(line).text),
    names: () => readdirSync(directory).sort(),
  }
}

/** The whole lines of a text, which must end with one. */
export function linesOf(text: string): string[] {
  if (text === '') return []
  if (!text.endsWith('\n')) throw new Error(`the file ends in a torn line: ${JSON.stringify(text.slice(-80))}`)
  return text.slice(0, -1).split('\n')
}
