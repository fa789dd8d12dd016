/** Bytes that come in chunks, some of which may be looked at or taken before the others. */
export class ChunkSource {
  /** Counts the bytes that were taken. */
  given = 0
  private readonly chunks: AsyncIterator<Buffer>
  private pending: Buffer = Buffer.alloc(0)

  constructor(chunks: AsyncIterable<Buffer>) {
    this.chunks = chunks[Symbol.asyncIterator]()
  }

  /** The next bytes, which stay; fewer than `count` at the end. */
  async peek(count: number): Promise<Buffer> {
    while (this.pending.length < count) {
      const next = await this.chunks.next()
      if (next.done === true) break
      this.pending = this.pending.length === 0 ? next.value : Buffer.concat([this.pending, next.value])
    }
    return this.pending.subarray(0, count)
  }

  /** Takes the next chunk, or its first `count` bytes; `undefined` at the end. */
  async take(count = Number.POSITIVE_INFINITY): Promise<Buffer | undefined> {
    if ((await this.peek(1)).length === 0) return undefined
    const chunk = this.pending.subarray(0, count)
    this.pending = this.pending.subarray(chunk.length)
    this.given += chunk.length
    return chunk
  }

  /** Takes everything that is left. */
  async *rest(): AsyncGenerator<Buffer> {
    for (let chunk = await this.take(); chunk !== undefined; chunk = await this.take()) yield chunk
  }

  async close(): Promise<void> {
    await this.chunks.return?.()
  }
}
