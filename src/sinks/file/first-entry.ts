import type { FileSystem } from './fs.js'

/** Enough for the start of a line of format `json`. */
const HEAD = 64
const CREATED_AT = /^\{"created_at":"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z)",/

/** When the first entry of an open file was made, in milliseconds since the epoch; format `json` alone says so. */
export async function firstEntryTime(fs: FileSystem, fd: number): Promise<number | undefined> {
  const head = new Uint8Array(HEAD)
  const count = await fs.read(fd, head, 0)
  const match = CREATED_AT.exec(new TextDecoder('latin1').decode(head.subarray(0, count)))
  const time = Date.parse(match?.[1] ?? '')
  return Number.isNaN(time) ? undefined : time
}
