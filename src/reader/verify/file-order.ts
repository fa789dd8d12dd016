import { basename, dirname, join } from 'node:path'
import { ENDING_BYTES, GENESIS, sealOf } from '../../event/seal-line.js'
import { contentOf, isUnreadable, openRegular } from '../contents.js'
import { activeNameOf, type TrailFile } from '../files.js'
import { wholeLines } from '../lines.js'

/** A file, and the hashes that join it to others. */
interface Link {
  readonly file: TrailFile
  /** The hash that its first line names. */
  readonly first: string | undefined
  /** The hash of its last line; unknown of a compressed file, which would have to be read to its end. */
  readonly last: string | undefined
  /** The active file that it is of, by its name. */
  readonly active: string
}

/**
 * Files by the trails that they are of, each trail in its order: that of the names, unless the chain has fewer breaks in
 * its own. So a file that has another name now is still in its place.
 */
export async function orderTrails(files: readonly TrailFile[]): Promise<TrailFile[][]> {
  const links: Link[] = []
  for (const file of files) links.push(await linkOf(file))
  const named = groups(links, ({ active }) => active)
  const chained = groups(chains(links), (chain) => chain.at(-1)?.active ?? '').map((group) => group.flat())
  const trails = breaksIn(chained) < breaksIn(named) ? chained : named
  return trails.map((trail) => trail.map(({ file }) => file))
}

/** Runs of files that follow one another by their hashes, in the order of their first ones. */
function chains(links: readonly Link[]): Link[][] {
  const followers = new Map(links.map((link) => [link.first, link]))
  const hashes = new Set(links.map(({ last }) => last))
  const placed = new Set<Link>()
  const run = (start: Link): Link[] => {
    const found: Link[] = []
    for (let link: Link | undefined = start; link !== undefined && !placed.has(link); ) {
      placed.add(link)
      found.push(link)
      link = link.last === undefined ? undefined : followers.get(link.last)
    }
    return found
  }
  const starts = links.filter(({ first }) => first === undefined || !hashes.has(first))
  // What is left then goes round in a circle.
  return [...starts, ...links].map(run).filter(({ length }) => length > 0)
}

function groups<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[][] {
  const found = new Map<string, Item[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = found.get(key)
    if (group === undefined) found.set(key, [item])
    else group.push(item)
  }
  return [...found.values()]
}

/** How often a file does not follow the one before it, as far as is known; the first of a trail must begin a chain. */
function breaksIn(trails: readonly Link[][]): number {
  let breaks = 0
  for (const trail of trails) {
    let last: string | undefined = GENESIS
    for (const link of trail) {
      if (last !== undefined && link.first !== undefined && link.first !== last) breaks++
      last = link.last
    }
  }
  return breaks
}

async function linkOf(file: TrailFile): Promise<Link> {
  const name = basename(file.path)
  return {
    file,
    first: await firstOf(file),
    last: await lastOf(file),
    active: join(dirname(file.path), activeNameOf(name) ?? name),
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
    // It is reported when it is read.
    if (!isUnreadable(error)) throw error
  }
  return undefined
}

async function lastOf(file: TrailFile): Promise<string | undefined> {
  try {
    const handle = file.handle ?? (await openRegular(file.path))
    try {
      const length = Math.min(file.size, ENDING_BYTES + 1)
      const ending = Buffer.alloc(length)
      await handle.read(ending, 0, length, file.size - length)
      const text = ending.toString('latin1')
      return text.endsWith('\n') ? sealOf(text.slice(0, -1))?.hash : undefined
    } finally {
      if (file.handle === undefined) await handle.close()
    }
  } catch (error) {
    // It is reported when it is read.
    if (!isUnreadable(error)) throw error
    return undefined
  }
}
