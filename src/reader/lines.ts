/** Longer lines are skipped, so that no file can fill the memory; the plugin writes none. */
export const MAX_LINE = 16 * 1024 * 1024

const NEWLINE = 0x0a

/**
 * Cuts a stream into parts of whole lines, each with its line feed; only the last line may lack it. Calls `onTooLong`
 * for each line that is skipped.
 */
export async function* wholeLines(source: AsyncIterable<Buffer>, onTooLong: () => void): AsyncGenerator<Buffer> {
  const cutter = new LineCutter(onTooLong)
  for await (const chunk of source) yield* cutter.push(chunk)
  const rest = cutter.rest()
  if (rest !== undefined) yield rest
}

/** Cuts chunks into parts of whole lines. */
export class LineCutter {
  /** The chunks of the unfinished line. */
  private begun: Buffer[] = []
  private length = 0
  /** The unfinished line is too long and is skipped. */
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

  /** Takes the unfinished line, if there is one. */
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
