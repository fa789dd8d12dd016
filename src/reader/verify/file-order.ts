import { basename, dirname, join } from 'node:path'
import { GENESIS } from '../../event/seal-line.js'
import type { TrailFile } from '../trail-file.js'
import { compareNames, exactActiveNameOf } from '../trail-names.js'
import { endsOf, type FileEnds } from './file-ends.js'

/** A file, and the hashes that join it to others. */
interface Link extends FileEnds {
  readonly file: TrailFile
  /** The active file that it is of, by its name. */
  readonly active: string
  /** It is an active file by its name, and not an archive. */
  readonly isActive: boolean
}

/**
 * Sorts files into trails, and each trail into its order: by the names, or by the hashes if the chain has fewer breaks
 * then. So a renamed file is still in its place.
 */
export async function orderTrails(files: readonly TrailFile[]): Promise<TrailFile[][]> {
  if (files.length < 2) return files.map((file) => [file])
  const links: Link[] = []
  for (const file of files.toSorted(byName)) links.push(await linkOf(file))
  const named = joined(groups(links, ({ active }) => active))
  const chained = joined(groups(chains(links), (chain) => chain.at(-1)?.active ?? '').map((group) => group.flat()))
  const trails = breaksIn(chained) < breaksIn(named) ? chained : named
  return trails.map((trail) => trail.map(({ file }) => file))
}

function byName(one: TrailFile, other: TrailFile): number {
  return compareNames(basename(one.path), basename(other.path))
}

/** Joins files that follow one another by their hashes into runs. */
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
  // The files that are left go round in a circle.
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

/**
 * Puts archives that stand in another directory before the active file of their name: each archive is followed by a file,
 * so that a chain cannot end there and another one begin without a word.
 */
function joined(trails: readonly Link[][]): Link[][] {
  const isWhole = (trail: readonly Link[]): boolean => trail.some(({ isActive }) => isActive)
  const result = trails.filter(isWhole)
  for (const part of trails.filter((trail) => !isWhole(trail))) {
    const owners = result.filter((trail) => isWhole(trail) && nameOf(trail) === nameOf(part))
    const [owner] = owners
    if (owner !== undefined && owners.length === 1) owner.unshift(...part)
    else result.push(part)
  }
  return result
}

function nameOf([first]: readonly Link[]): string {
  return basename(first?.active ?? '')
}

/** Counts files that are known not to follow the one before them; the first of a trail must begin a chain. */
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
  const active = exactActiveNameOf(name)
  const ends = await endsOf(file)
  return { file, ...ends, active: join(dirname(file.path), active ?? name), isActive: active === undefined }
}
