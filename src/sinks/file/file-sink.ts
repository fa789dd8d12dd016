import { type Clock, sleep, systemClock } from '../../clock.js'
import { AuditSinkUnavailable } from '../../errors.js'
import { BatchError } from '../batch-error.js'
import { type AuditEntry, type AuditSink, type SinkContext, STORED, type TailOptions } from '../sink.js'
import { ActiveFile, type ActiveFileOptions } from './active-file.js'
import { cleanUp } from './clean-up.js'
import { makeDirectory } from './directory.js'
import { CREATE, type FileSystem, lookUp, nodeFileSystem, remove, writeWhole } from './fs.js'
import { type LockParts, takeLock } from './lock.js'
import { openError } from './open-errors.js'
import { fillHostname, takeSlot } from './slot.js'

/**
 * Size of the reused buffer: any batch of ordinary text (1 MiB at most) fits. Allocating for each write costs twice as
 * much.
 */
const SCRATCH = 1280 * 1024
/** Characters that are joined at once: V8 gives strings of more than twice that pages of their own. */
const CHUNK = 64 * 1024
/** Bytes that must fit on the disk for it to count as working again. */
const PROBE_BYTES = 64 * 1024

/** The file sink's options as it needs them: milliseconds, bytes, an absolute path. */
export interface FileSinkOptions extends ActiveFileOptions {
  /** May hold `{slot}` and `{hostname}`. */
  readonly path: string
  readonly lockTimeout: number
}

/** What tests replace. */
export interface FileSinkParts {
  readonly fs?: FileSystem
  readonly clock?: Clock
  readonly sleep?: (milliseconds: number) => Promise<void>
}

/** A sink that appends lines to a file, and rotates it. */
export interface FileSink extends AuditSink {
  /** The file's path; `{slot}` is filled in once it is open. */
  readonly path: string
}

/** A sink that appends lines to the file at `options.path`, for one process at a time. */
export function fileSink(options: FileSinkOptions, parts: FileSinkParts = {}): FileSink {
  return new RotatingFileSink(options, parts)
}

class RotatingFileSink implements FileSink {
  private readonly template: string
  private readonly parts: Omit<LockParts, 'log'>
  private context: SinkContext | undefined
  private active: ActiveFile | undefined
  private isClosed = false
  /** The last write failed, so that `idle` must see whether the disk works. */
  private isFailing = false
  private readonly scratch = Buffer.allocUnsafeSlow(SCRATCH)

  constructor(
    private readonly options: FileSinkOptions,
    { fs = nodeFileSystem, clock = systemClock, sleep: wait = sleep }: FileSinkParts,
  ) {
    this.template = fillHostname(options.path)
    this.parts = { fs, clock, sleep: wait }
  }

  get path(): string {
    return this.active?.path ?? this.template
  }

  async open(context: SinkContext): Promise<void> {
    this.context = context
    try {
      await this.ready(this.options.lockTimeout)
      // A sealed trail goes on from its last line: if that may not be read, the boot stops and not every later request.
      // The search for the last sealed line waits until after the boot: in a long trail without one it takes minutes.
      if (this.options.sealed) await this.tail()
    } catch (error) {
      // A boot that stops here must not keep the next one out.
      if (!(error instanceof AuditSinkUnavailable)) await cleanUp(context.log, this.path, this.leave())
      throw error
    }
  }

  /**
   * Writes without a promise if nothing has to be waited for: with few concurrent requests, promises cost more than the
   * write.
   */
  write(batch: readonly AuditEntry[]): Promise<void> {
    const { active } = this
    if (this.isClosed || active === undefined || !active.isReadyNow) return this.writeWhenReady(batch)
    try {
      active.appendNow(this.encode(batch), batch.length)
    } catch (cause) {
      this.isFailing = true
      return this.undo(active, batch, cause)
    }
    this.isFailing = false
    return STORED
  }

  private async writeWhenReady(batch: readonly AuditEntry[]): Promise<void> {
    this.isFailing = true
    const active = await this.ready(0)
    // The process may have been stopped since, for so long that it was taken for dead.
    if (active.isCheckDue) await active.lock.verify()
    try {
      await active.append(this.encode(batch), batch.length)
    } catch (cause) {
      await this.undo(active, batch, cause)
    }
    this.isFailing = false
  }

  /** After a failed append; always rejects. */
  private async undo(active: ActiveFile, batch: readonly AuditEntry[], cause: unknown): Promise<never> {
    if (!(await active.undo())) throw new BatchError({ inDoubt: batch, cause })
    throw new AuditSinkUnavailable(`a write to ${active.path} failed and was undone: ${reason(cause)}`, { cause })
  }

  /**
   * Encodes into the same memory each time, because there is one write at a time; a batch that does not fit gets its
   * own.
   */
  private encode(batch: readonly AuditEntry[]): Uint8Array {
    let length = 0
    let text = ''
    for (const { line } of batch) {
      if (text.length + line.length > CHUNK) {
        length += this.scratch.write(text, length)
        text = ''
      }
      text += `${line}\n`
    }
    length += this.scratch.write(text, length)
    // A character takes at most four bytes: with less room than that left, one may be missing.
    if (length <= SCRATCH - 4) return this.scratch.subarray(0, length)
    return Buffer.from(batch.map(({ line }) => `${line}\n`).join(''))
  }

  async tail(options?: TailOptions): Promise<string | undefined> {
    const active = await this.ready(0)
    try {
      return await active.lastLine(options?.sealed === true)
    } catch (error) {
      throw openError(this.context?.name ?? '', active.path, error)
    }
  }

  async idle(): Promise<void> {
    const active = await this.ready(0)
    if (this.isFailing) await this.probe(active)
    this.isFailing = false
    await active.space.check()
    await active.retention.run()
  }

  async reopen(): Promise<void> {
    await this.active?.leave()
    await this.ready(0)
  }

  async close(): Promise<void> {
    this.isClosed = true
    await this.leave()
  }

  /** Returns the file, with its lock, open and whole; opens it again if it could not be opened or was lost. */
  private async ready(lockTimeout: number): Promise<ActiveFile> {
    if (this.context === undefined || this.isClosed) {
      throw new AuditSinkUnavailable(`${this.path} is ${this.isClosed ? 'closed' : 'not opened yet'}`)
    }
    try {
      if (this.active?.isCheckDue && !(await this.active.isLockHeld())) await this.loseLock(this.active, this.context)
      this.active ??= await this.take(this.context, lockTimeout)
      await this.active.ready()
      return this.active
    } catch (error) {
      throw openError(this.context.name, this.path, error)
    }
  }

  private take(context: SinkContext, timeout: number): Promise<ActiveFile> {
    const { template, options } = this
    const parts = { ...this.parts, log: context.log }
    const take = async (path: string, wait: number): Promise<ActiveFile> => {
      await makeDirectory(parts.fs, path, options.dirMode, options.fsync)
      return new ActiveFile(
        path,
        await takeLock(`${path}.lock`, path, options.mode, wait, parts),
        options,
        parts,
        context,
      )
    }
    if (!template.includes('{slot}')) return take(template, timeout)
    return takeSlot(template, (path) => take(path, 0))
  }

  /** Another process writes to the file now: nothing is cut, renamed or appended any more. */
  private async loseLock(active: ActiveFile, { log }: SinkContext): Promise<void> {
    log.error({ path: active.path }, 'the lock of the audit file was taken by another process, or removed')
    await this.leave()
  }

  private async leave(): Promise<void> {
    const { active } = this
    this.active = undefined
    try {
      await active?.leave()
    } finally {
      await active?.lock.release()
    }
  }

  /** Finds out whether the disk works again, with a file beside the trail. */
  private async probe({ path }: ActiveFile): Promise<void> {
    const { fs } = this.parts
    const name = `${path}.probe`
    // A directory cannot be removed; the next write tells whether the disk works.
    if ((await lookUp(fs, name))?.kind === 'directory') return
    await remove(fs, name)
    const fd = await fs.open(name, CREATE, this.options.mode)
    try {
      await writeWhole(fs, fd, new Uint8Array(PROBE_BYTES))
      if (this.options.fsync) await fs.datasync(fd)
    } finally {
      await fs.close(fd)
      await remove(fs, name)
    }
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
