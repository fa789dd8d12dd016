import { basename } from 'node:path'
import type { LifecycleDetails } from '../../event/event.js'
import { sealOf } from '../../event/seal-line.js'
import { type FileSystem, lookUp, unless } from './fs.js'
import type { Archive, ArchiveNames } from './names.js'
import { lastLineOf } from './tail.js'

/** Which archives may go; 0 is no limit. Times are in milliseconds. */
export interface RetentionOptions {
  readonly rotateMaxFiles: number
  readonly rotateMaxAge: number
  readonly rotateMinAge: number
  /** The lines are sealed: what is deleted is named by its last one, which the first one that is left follows. */
  readonly sealed?: boolean
}

/** An archive that is to be deleted, and why. */
export interface Expired extends Archive {
  readonly reason: 'count' | 'age'
}

const HOLD = '.hold'

/** A file whose presence keeps an archive, or with the active file's name all of its archives, from being deleted. */
export function holdPath(path: string): string {
  return path + HOLD
}

/** Which of a directory's names are to be deleted, oldest first. An archive's age is the time since its rotation. */
export function expired(
  names: ArchiveNames,
  present: readonly string[],
  options: RetentionOptions,
  now: number,
): Expired[] {
  const held = new Set(present.filter((name) => name.endsWith(HOLD)).map((name) => name.slice(0, -HOLD.length)))
  if (held.has(names.active)) return []
  // What is on hold is not counted either, or a held archive would push out one that is not; nor is what a clock that
  // was ahead has named, or every archive of the present would be older than those and go at once.
  const free = names.among(present).filter(({ name, time }) => !held.has(name) && time <= now)
  const excess = options.rotateMaxFiles === 0 ? 0 : Math.max(0, free.length - options.rotateMaxFiles)
  const result: Expired[] = []
  for (const [index, archive] of free.entries()) {
    const age = now - archive.time
    const isTooOld = options.rotateMaxAge > 0 && age > options.rotateMaxAge
    if ((!isTooOld && index >= excess) || age < options.rotateMinAge) continue
    result.push({ ...archive, reason: isTooOld ? 'age' : 'count' })
  }
  return result
}

/** Deletes an archive, unless it was put on hold since it was listed, or is gone; resolves with what was deleted. */
export async function deleteArchive(
  fs: FileSystem,
  names: ArchiveNames,
  { name, reason }: Expired,
  sealed: boolean,
): Promise<LifecycleDetails['retention'] | undefined> {
  const path = names.path(name)
  for (const held of [names.path(names.active), path]) {
    if ((await lookUp(fs, holdPath(held))) !== undefined) return undefined
  }
  const status = await lookUp(fs, path)
  if (status === undefined || !status.isFile) return undefined
  const hash = sealed ? await lastHash(fs, path) : undefined
  const isDeleted = await unless(
    ['ENOENT'],
    fs.unlink(path).then(() => true),
  )
  return isDeleted ? { deleted: basename(path), bytes: status.size, reason, ...hash } : undefined
}

/** What a disk cannot give back any more is deleted all the same. */
async function lastHash(fs: FileSystem, path: string): Promise<{ hash: string } | undefined> {
  const line = await unless(['EIO', 'ENOENT', 'EACCES'], lastLineOf(fs, path))
  const seal = line === undefined ? undefined : sealOf(line)
  return seal === undefined ? undefined : { hash: seal.hash }
}
