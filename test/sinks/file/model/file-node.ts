/** Random numbers from 0 to 1. */
export type Random = () => number

export function pick<T>(random: Random, from: readonly [T, ...T[]]): T {
  return from[Math.floor(random() * from.length)] ?? from[0]
}

/** Sizes of independent writes: a disk may write bytes, sectors or pages in any order. */
const PAGES = [1, 16, 512, 4096] as const

/** A regular file: its content as it is read now, and the contents that a power loss can leave. */
export class FileNode {
  /** The content at the last sync, and after each change since. Reads see the last. */
  private versions: [Uint8Array, ...Uint8Array[]] = [new Uint8Array()]
  /** Bytes that a failed sync left to memory alone: the kernel calls them written, so that no later sync writes them. */
  private dropped = { from: 0, to: 0 }
  /** The time of modification, at the last sync and now. */
  private times: [number, number]

  constructor(
    readonly number: number,
    readonly born: number,
  ) {
    this.times = [born, born]
  }

  get bytes(): Uint8Array {
    return this.versions.at(-1) ?? this.versions[0]
  }

  get modified(): number {
    return this.times[1]
  }

  append(data: Uint8Array, now: number): void {
    const { bytes } = this
    const longer = new Uint8Array(bytes.byteLength + data.byteLength)
    longer.set(bytes)
    longer.set(data, bytes.byteLength)
    this.versions.push(longer)
    this.touch(now)
  }

  truncate(length: number, now: number): void {
    const other = new Uint8Array(length)
    other.set(this.bytes.subarray(0, length))
    this.versions.push(other)
    this.dropped.to = Math.min(this.dropped.to, length)
    this.touch(now)
  }

  touch(time: number): void {
    this.times = [this.times[0], time]
  }

  sync(): void {
    const { from, to } = this.dropped
    this.versions = from < to ? [this.bytes.slice().fill(0, from, to), this.bytes] : [this.bytes]
    this.times = [this.modified, this.modified]
  }

  /** Fails a sync as the kernel does. */
  failSync(): void {
    const from = Math.min(...this.versions.map(({ byteLength }) => byteLength))
    this.dropped = { from, to: this.bytes.byteLength }
  }

  /** Loses the power: chance decides which changes since the last sync stay. */
  lose(random: Random): void {
    const left = this.left(random)
    this.versions = [left]
    this.dropped = { from: 0, to: 0 }
    const modified = pick(random, this.times)
    this.times = [modified, modified]
  }

  private left(random: Random): Uint8Array {
    const how = random()
    if (how < 0.2) return pick(random, this.versions)
    if (how < 0.5) return this.prefix(random)
    return this.pages(random)
  }

  /** The content with a part of one change. */
  private prefix(random: Random): Uint8Array {
    const index = Math.floor(random() * this.versions.length)
    const before = this.versions[index]?.byteLength ?? 0
    const after = this.versions[index + 1] ?? this.bytes
    return after.slice(0, before + Math.floor(random() * Math.max(0, after.byteLength - before)))
  }

  /** A content with the size of one version and each page of another; zeros where that one was shorter. */
  private pages(random: Random): Uint8Array {
    const left = new Uint8Array(pick(random, this.versions).byteLength)
    const page = pick(random, PAGES)
    for (let from = 0; from < left.byteLength; from += page) {
      left.set(pick(random, this.versions).subarray(from, Math.min(from + page, left.byteLength)), from)
    }
    return left
  }
}
