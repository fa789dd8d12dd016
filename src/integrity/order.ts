import { type FileHandle, open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { activeNameOf, type TrailFile } from '../reading/files.js'
import { contentOf, wholeLines } from '../reading/lines.js'
import { ENDING_BYTES, sealOf } from './line.js'

/** A file, and the hashes that join it to others. */
interface Link {
  readonly file: TrailFile
  /** The hash that its first line names. */
  readonly first: string | undefined
  /** The hash of its last line; unknown of a compressed file, which would have to be read to its end. */
  readonly last: string | undefined
  /** The active file that it is of, by its name. */
  readonly active: string
  isPlaced: boolean
}

/**
 * Files by the trails that they are of, each trail in its order: what follows what is said by the chain, and where that
 * says nothing, by the names. So a file that has another name now is still in its place.
 */
export async function orderTrails(files: readonly TrailFile[]): Promise<TrailFile[][]> {
  const links: Link[] = []
  for (const file of files) links.push(await linkOf(file))
  const byFirst = new Map(links.map((link) => [link.first, link]))
  const followed = new Set(links.map(({ last }) => last).filter((hash) => hash !== undefined))
  const trails = new Map<string, TrailFile[]>()
  const place = (start: Link, active: string): void => {
    const trail = trails.get(active) ?? []
    trails.set(active, trail)
    for (let link: Link | undefined = start; link !== undefined && !link.isPlaced; ) {
      link.isPlaced = true
      trail.push(link.file)
      link = link.last === undefined ? undefined : byFirst.get(link.last)
    }
  }
  const isFollower = ({ first }: Link) => first !== undefined && followed.has(first)
  for (const link of links) if (!link.isPlaced && !isFollower(link)) place(link, homeOf(link, links, byFirst))
  for (const link of links) if (!link.isPlaced) place(link, link.active)
  return [...trails.values()]
}

/** The trail that a file belongs to: that of the files behind it, for its own name may be a new one. */
function homeOf(start: Link, links: readonly Link[], byFirst: ReadonlyMap<string | undefined, Link>): string {
  let link = start
  for (let count = 0; link.last !== undefined && count < links.length; count++) {
    const next = byFirst.get(link.last)
    if (next === undefined) break
    link = next
  }
  return link.active
}

async function linkOf(file: TrailFile): Promise<Link> {
  const name = basename(file.path)
  return {
    file,
    first: await firstOf(file),
    last: await lastOf(file),
    active: join(dirname(file.path), activeNameOf(name) ?? name),
    isPlaced: false,
  }
}

async function firstOf(file: TrailFile): Promise<string | undefined> {
  try {
    for await (const part of wholeLines(
      contentOf(file, () => undefined),
      () => undefined,
    )) {
      const end = part.indexOf('\n')
      return end === -1 ? undefined : sealOf(part.toString('latin1', Math.max(0, end - ENDING_BYTES), end))?.prev
    }
  } catch (error) {
    // What is compressed and damaged is reported when it is read.
    if (!isDamage(error)) throw error
  }
  return undefined
}

async function lastOf(file: TrailFile): Promise<string | undefined> {
  const length = Math.min(file.size, ENDING_BYTES + 1)
  const ending = Buffer.alloc(length)
  const handle: FileHandle = file.handle ?? (await open(file.path, 'r'))
  try {
    await handle.read(ending, 0, length, file.size - length)
  } finally {
    if (file.handle === undefined) await handle.close()
  }
  const text = ending.toString('latin1')
  return text.endsWith('\n') ? sealOf(text.slice(0, -1))?.hash : undefined
}

/** Whether a compressed file is not what was compressed. */
export function isDamage(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')
}
