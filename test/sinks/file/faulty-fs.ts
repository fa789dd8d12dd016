import { constants, fstatSync, futimesSync } from 'node:fs'
import type { Clock } from '../../../src/clock.js'
import { type FileStatus, type FileSystem, nodeFileSystem } from '../../../src/sinks/file/fs.js'

export type Operation = keyof FileSystem

/** A planned fault of the `nth` call of an operation (or of any) from now, on a path ending in `on`, `times` in a row. */
export interface Fault {
  op?: Operation
  on?: string
  nth?: number
  times?: number
  /** Rejects with this errno; for `write`, after `bytes` were written for real. */
  code?: string
  bytes?: number
  /** Is done for real, and then reported as failed. */
  isDone?: boolean
  /** Does not settle until `heal()`. */
  hang?: boolean
}

interface Planned extends Fault {
  seen: number
  hits: number
  struck: Operation[]
}

/** A real file system, in which chosen calls fail, fall short or hang; it counts them all. */
export class FaultyFs implements FileSystem {
  /** Every call, as `write audit.log`. */
  readonly calls: string[] = []
  /** Calls that have not settled. */
  outstanding = 0
  maxOutstanding = 0
  /** The room that there seems to be; undefined for the real one. */
  room: Promise<{ free: number; total: number; isLocal?: boolean }> | undefined
  /** The place of each write. */
  readonly writes: Array<'direct' | 'by a thread'> = []
  /** Called during a direct write, for example to let time pass. */
  whileDirect: () => void = () => undefined
  private faults: Planned[] = []
  private readonly paths = new Map<number, string>()
  private hung: Array<() => void> = []

  /** With a clock, files are modified at its time. */
  constructor(
    private readonly real: FileSystem = nodeFileSystem,
    private readonly clock?: Clock,
  ) {}

  /** The number of outstanding calls that hang. */
  get hanging(): number {
    return this.hung.length
  }

  /** Plans a fault; the result says how often it was hit, and which calls it struck. */
  plan(fault: Fault): { readonly hits: number; readonly struck: readonly Operation[] } {
    const planned: Planned = { ...fault, seen: 0, hits: 0, struck: [] }
    this.faults.push(planned)
    return planned
  }

  /** Ends all faults. Hanging calls go on. */
  heal(): void {
    this.faults = []
    for (const go of this.hung.splice(0)) go()
  }

  async open(path: string, flags: number, mode: number): Promise<number> {
    const fd = await this.run('open', path, () => this.real.open(path, flags, mode))
    this.paths.set(fd, path)
    if ((flags & constants.O_CREAT) !== 0) this.noteChange(fd, 0)
    return fd
  }

  /** Has a file that is as long as this, or that has just been written to, changed now by the clock. */
  private noteChange(fd: number, size?: number): void {
    if (this.clock === undefined || (size !== undefined && fstatSync(fd).size !== size)) return
    futimesSync(fd, this.clock.now() / 1000, this.clock.now() / 1000)
  }

  write(fd: number, data: Uint8Array): Promise<number> {
    this.writes.push('by a thread')
    return this.run(
      'write',
      this.paths.get(fd),
      () => this.changing(fd, this.real.write(fd, data)),
      (bytes) => this.changing(fd, this.real.write(fd, data.subarray(0, bytes))),
    )
  }

  private async changing<T>(fd: number, change: Promise<T>): Promise<T> {
    const result = await change
    this.noteChange(fd)
    return result
  }

  private changeNow(fd: number, data: Uint8Array): number {
    const written = this.real.writeNow(fd, data)
    this.noteChange(fd)
    return written
  }

  /** Faults of `write` strike here as well; one that hangs would hang the tests. */
  writeNow(fd: number, data: Uint8Array): number {
    const path = this.paths.get(fd) ?? ''
    this.calls.push(`write ${path.split('/').at(-1)}`)
    this.writes.push('direct')
    this.whileDirect()
    const fault = this.faults.find((candidate) => this.strikes(candidate, 'write', path))
    if (fault === undefined) return this.changeNow(fd, data)
    if (fault.hang) throw new Error('a direct write cannot be made to hang')
    if (fault.isDone) this.changeNow(fd, data)
    const written = fault.bytes === undefined ? undefined : this.changeNow(fd, data.subarray(0, fault.bytes))
    if (fault.code === undefined && written !== undefined) return written
    throw failure(fault, 'write', path)
  }

  close = (fd: number): Promise<void> => this.run('close', this.paths.get(fd), () => this.real.close(fd))
  read = (fd: number, into: Uint8Array, position: number): Promise<number> =>
    this.run('read', this.paths.get(fd), () => this.real.read(fd, into, position))
  truncate = (fd: number, length: number): Promise<void> =>
    this.run('truncate', this.paths.get(fd), () => this.real.truncate(fd, length))
  datasync = (fd: number): Promise<void> => this.run('datasync', this.paths.get(fd), () => this.real.datasync(fd))
  sync = (fd: number): Promise<void> => this.run('sync', this.paths.get(fd), () => this.real.sync(fd))
  stat = (fd: number): Promise<FileStatus> => this.run('stat', this.paths.get(fd), () => this.real.stat(fd))
  touch = (fd: number, time: number): Promise<void> =>
    this.run('touch', this.paths.get(fd), () => this.real.touch(fd, time))
  lstat = (path: string): Promise<FileStatus> => this.run('lstat', path, () => this.real.lstat(path))
  mkdir = (path: string, mode: number): Promise<void> => this.run('mkdir', path, () => this.real.mkdir(path, mode))
  readdir = (path: string): Promise<string[]> => this.run('readdir', path, () => this.real.readdir(path))
  link = (from: string, to: string): Promise<void> => this.run('link', to, () => this.real.link(from, to))
  rename = (from: string, to: string): Promise<void> => this.run('rename', to, () => this.real.rename(from, to))
  unlink = (path: string): Promise<void> => this.run('unlink', path, () => this.real.unlink(path))
  space = (path: string): Promise<{ free: number; total: number; isLocal?: boolean }> =>
    this.run('space', path, () => this.room ?? this.real.space(path))

  private async run<T>(
    op: Operation,
    path: string | undefined,
    call: () => Promise<T>,
    part?: (bytes: number) => Promise<T>,
  ): Promise<T> {
    this.calls.push(`${op} ${path?.split('/').at(-1)}`)
    this.outstanding++
    this.maxOutstanding = Math.max(this.maxOutstanding, this.outstanding)
    try {
      return await this.act(op, path ?? '', call, part)
    } finally {
      this.outstanding--
    }
  }

  private async act<T>(
    op: Operation,
    path: string,
    call: () => Promise<T>,
    part: ((bytes: number) => Promise<T>) | undefined,
  ): Promise<T> {
    const fault = this.faults.find((candidate) => this.strikes(candidate, op, path))
    if (fault === undefined) return call()
    if (fault.hang) {
      await new Promise<void>((resolve) => this.hung.push(resolve))
      return call()
    }
    if (fault.isDone) await call()
    const result = fault.bytes === undefined || part === undefined ? undefined : await part(fault.bytes)
    if (fault.code === undefined && result !== undefined) return result
    throw failure(fault, op, path)
  }

  private strikes(fault: Planned, op: Operation, path: string): boolean {
    if (op !== (fault.op ?? op) || !path.endsWith(fault.on ?? '')) return false
    fault.seen++
    const first = fault.nth ?? 1
    if (fault.seen < first || fault.seen >= first + (fault.times ?? 1)) return false
    fault.hits++
    fault.struck.push(op)
    return true
  }
}

function failure(fault: Fault, op: Operation, path: string): Error {
  const code = fault.code ?? 'EIO'
  return Object.assign(new Error(`${code}: made to fail, ${op} '${path}'`), { code })
}
