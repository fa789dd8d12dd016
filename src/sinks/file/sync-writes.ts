import type { Clock } from '../../clock.js'
import { type FileSystem, writeWholeNow } from './fs.js'

/** A write that takes longer than this, in milliseconds, means that the disk cannot keep up. */
const SLOW = 20
/**
 * After such a write, synchronous writes pause for this many times as long: the event loop waits 1 % of its time at
 * most.
 */
const REST = 100

/**
 * Decides which thread makes a write. A write to a local file system ends in memory, within microseconds: making it on
 * the event loop's thread, as Fastify's logger does, saves more than a microsecond of every request (`npm run bench`).
 * A network file system may never answer, and a disk that has fallen behind makes writers wait: such writes go to
 * Node's threads, so that they delay nothing else.
 */
export class SyncWrites {
  private restsUntil = Number.NEGATIVE_INFINITY

  constructor(
    private readonly fs: FileSystem,
    private readonly clock: Clock,
    private readonly disk: { readonly isLocal: boolean },
  ) {}

  /** Whether the next write is to be made by `writeNow`. */
  get isDirect(): boolean {
    return this.disk.isLocal && this.clock.monotonic() >= this.restsUntil
  }

  /** Writes all of `data` on this thread. */
  writeNow(fd: number, data: Uint8Array): void {
    const startedAt = this.clock.monotonic()
    try {
      writeWholeNow(this.fs, fd, data)
    } finally {
      const now = this.clock.monotonic()
      const took = now - startedAt
      if (took > SLOW) this.restsUntil = now + REST * took
    }
  }
}
