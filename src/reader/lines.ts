/** A line that is longer is none that the plugin wrote: it is passed over, so that no file can fill the memory. */
export const MAX_LINE = 16 * 1024 * 1024

const NEWLINE = 0x0a

/**
 * Cuts a stream into parts that are whole lines, each with its line feed; only the very last one may lack it.
 * `onTooLong` is told of each line that is passed over.
 */
export async function* wholeLines(source: AsyncIterable<Buffer>, onTooLong: () => void): AsyncGenerator<Buffer> {
  const cutter = new LineCutter(onTooLong)
  for await (const chunk of source) yield* cutter.push(chunk)
  const rest = cutter.rest()
  if (rest !== undefined) yield rest
}

/** Makes parts that are whole lines of chunks that are not. */
export class LineCutter {
  /** The begun line. */
  private begun: Buffer[] = []
  private length = 0
  /** The begun line is too long, and is passed over. */
  private isPassing = false

  constructor(private readonly onTooLong: () => void) {}

  push(chunk: Buffer): Buffer[] {
    const first = chunk.indexOf(NEWLINE) + 1
    if (first === 0) {
      this.extend(chunk)
      return []
    }
    this.extend(chunk.subarray(0, first))
    const last = chunk.lastIndexOf(NEWLINE) + 1
    const line = this.rest()
    if (last < chunk.length) this.extend(chunk.subarray(last))
    return [...(line === undefined ? [] : [line]), ...(last > first ? [chunk.subarray(first, last)] : [])]
  }

  /** What is begun, of which the cutter lets go; `undefined` when there is nothing. */
  rest(): Buffer | undefined {
    const { begun } = this
    this.begun = []
    this.length = 0
    this.isPassing = false
    return begun.length < 2 ? begun[0] : Buffer.concat(begun)
  }

  private extend(bytes: Buffer): void {
    if (this.isPassing) return
    this.length += bytes.length
    if (this.length <= MAX_LINE) {
      this.begun.push(bytes)
      return
    }
    this.isPassing = true
    this.begun = []
    this.onTooLong()
  }
}

/** The lines of a part, without their line feeds. */
export function* linesIn(part: Buffer): Generator<Buffer> {
  for (let from = 0; from < part.length; ) {
    const newline = part.indexOf(NEWLINE, from)
    const end = newline === -1 ? part.length : newline
    yield part.subarray(from, end)
    from = end + 1
  }
}

/** Whether a part ends within a line. */
export function isTorn(part: Buffer): boolean {
  return part.at(-1) !== NEWLINE
}
