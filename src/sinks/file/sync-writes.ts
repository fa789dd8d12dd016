import type { Clock } from '../../clock.js'
import { type FileSystem, writeWholeNow } from './fs.js'

/** A write that took longer, in milliseconds, went to a disk that cannot keep up. */
const SLOW = 20
/** So many times as long nothing is written on the event loop's thread then: it spends a hundredth of its time waiting. */
const REST = 100

/**
 * Where a write is made. One to a local file system ends in memory, within microseconds: made on the event loop's own
 * thread, as Fastify's logger does, it spares the way to another and back, more than a microsecond of every request
 * (`npm run bench`). A server on the network may take for ever, and a disk that has fallen behind makes its writers wait:
 * what is written there is left to the threads for it, so that it delays nothing else.
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
