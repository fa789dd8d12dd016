import { unless } from '../sinks/file/fs.js'
import { endOf } from './examine.js'
import type { Mark } from './mark.js'
import type { TrailFile } from './trail-file.js'

/** A file and the marks of its first and last record; the last is unknown if the file is compressed. */
interface Ends {
  readonly file: TrailFile
  readonly first: Mark
  readonly last: Mark | undefined
}

/**
 * Finds those of `others` that belong to the same trail as `members` by their content: an instance or the chain of
 * hashes continues in them. A file with the same numbers of an instance as a member is a copy, or of another sink of
 * the server.
 */
export async function linkedTo(members: readonly TrailFile[], others: readonly TrailFile[]): Promise<TrailFile[]> {
  if (others.length === 0) return []
  const trail = await endsOf(members)
  let left = await endsOf(others)
  const linked: TrailFile[] = []
  for (let isMore = true; isMore; ) {
    const found = left.filter((one) => trail.some((member) => goesOn(member, one)))
    const fitting = found.filter((one) => !trail.some((member) => overlaps(member, one)))
    left = left.filter((one) => !found.includes(one))
    trail.push(...fitting)
    linked.push(...fitting.map(({ file }) => file))
    isMore = fitting.length > 0
  }
  return linked
}

async function endsOf(files: readonly TrailFile[]): Promise<Ends[]> {
  const ends: Ends[] = []
  for (const file of files) {
    const { first } = file
    if (first !== undefined) ends.push({ file, first, last: await unless(['ENOENT'], endOf(file)) })
  }
  return ends
}

function goesOn(one: Ends, other: Ends): boolean {
  const instances = instancesOf(other)
  if (instancesOf(one).some((instance) => instances.includes(instance))) return true
  return follows(one, other) || follows(other, one)
}

function follows(one: Ends, other: Ends): boolean {
  return one.first.seal !== undefined && one.first.seal.prev === other.last?.seal?.hash
}

function instancesOf({ first, last }: Ends): string[] {
  return [first.instance, last?.instance].filter((instance) => instance !== undefined)
}

function overlaps(one: Ends, other: Ends): boolean {
  if (one.first.digest === other.first.digest) return true
  return instancesOf(one).some((instance) => {
    const [a, b] = [rangeOf(one, instance), rangeOf(other, instance)]
    return a !== undefined && b !== undefined && a.from <= b.to && b.from <= a.to
  })
}

/** The range of an instance's numbers in a file, as far as is known. */
function rangeOf({ first, last }: Ends, instance: string): { from: number; to: number } | undefined {
  const begins = first.instance === instance
  const ends = last?.instance === instance
  if (begins && ends) return { from: first.seq, to: last.seq }
  if (begins) return { from: first.seq, to: last === undefined ? first.seq : Number.POSITIVE_INFINITY }
  return ends ? { from: Number.NEGATIVE_INFINITY, to: last.seq } : undefined
}
