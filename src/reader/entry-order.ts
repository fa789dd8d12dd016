import { basename } from 'node:path'
import type { Mark } from './mark.js'
import { compareNames } from './trail-names.js'

/** A file, and how it begins and ends as far as is known. */
export interface FileEnds {
  readonly path: string
  readonly first: Mark | undefined
  readonly last: Mark | undefined
}

/**
 * Puts files in the order in which their entries were written. Files that follow one another, by the numbers of an
 * instance or the hashes of a chain, are in that order, whatever clocks and names say. The others are in the order of
 * the times of their first entries, or of their names if these are equal.
 */
export function inOrder<File extends FileEnds>(files: readonly File[]): File[] {
  const sorted = files.toSorted(byTimeAndName)
  const chains = chainsOf(sorted, linksBetween(sorted))
  const places = chains.flatMap((chain, rank) => {
    let time = Number.NEGATIVE_INFINITY
    // Use the latest time so far: a clock that was set back must not move a file before those that it follows.
    return chain.map((file, position) => {
      time = Math.max(time, timeOf(file))
      return { file, time, rank, position }
    })
  })
  // Times may be infinite, and the difference of two infinite ones is not a number.
  return places
    .sort((a, b) => compare(a.time, b.time) || a.rank - b.rank || a.position - b.position)
    .map(({ file }) => file)
}

/** Maps each file to the one that follows it, if that is known. */
function linksBetween<File extends FileEnds>(files: readonly File[]): Map<File, File> {
  const next = new Map<File, File>()
  const followers = new Set<File>()
  const link = (before: File | undefined, after: File | undefined): void => {
    if (before === undefined || after === undefined || before === after) return
    if (next.has(before) || followers.has(after)) return
    next.set(before, after)
    followers.add(after)
  }
  for (const of of instancesIn(files).values()) {
    of.sort((a, b) => a.seq - b.seq)
    for (const [index, { file }] of of.entries()) link(file, of[index + 1]?.file)
  }
  const byHash = new Map(files.flatMap((file) => (file.last?.seal === undefined ? [] : [[file.last.seal.hash, file]])))
  for (const file of files) link(byHash.get(file.first?.seal?.prev ?? ''), file)
  return next
}

/** Lists for each instance the files that begin or end with it, and its number there. */
function instancesIn<File extends FileEnds>(files: readonly File[]): Map<string, Array<{ file: File; seq: number }>> {
  const found = new Map<string, Array<{ file: File; seq: number }>>()
  for (const file of files) {
    const { first, last } = file
    for (const mark of first?.instance === last?.instance ? [first] : [first, last]) {
      if (mark?.instance === undefined) continue
      const of = found.get(mark.instance)
      if (of === undefined) found.set(mark.instance, [{ file, seq: mark.seq }])
      else of.push({ file, seq: mark.seq })
    }
  }
  return found
}

/** Groups files into chains, in the order of their first files. */
function chainsOf<File extends FileEnds>(files: readonly File[], next: ReadonlyMap<File, File>): File[][] {
  const followers = new Set(next.values())
  const placed = new Set<File>()
  const run = (start: File): File[] => {
    const chain: File[] = []
    for (let file: File | undefined = start; file !== undefined && !placed.has(file); file = next.get(file)) {
      placed.add(file)
      chain.push(file)
    }
    return chain
  }
  // Files that are left form circles, which begin anywhere.
  return [...files.filter((file) => !followers.has(file)), ...files].map(run).filter(({ length }) => length > 0)
}

function byTimeAndName(one: FileEnds, other: FileEnds): number {
  return (
    compare(timeOf(one), timeOf(other)) ||
    compareNames(basename(one.path), basename(other.path)) ||
    (one.path < other.path ? -1 : 1)
  )
}

/** Files of which nothing is known come last. */
function timeOf({ first }: FileEnds): number {
  return first?.time ?? Number.POSITIVE_INFINITY
}

function compare(one: number, other: number): number {
  return one < other ? -1 : Number(one > other)
}
