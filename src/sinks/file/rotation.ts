import { RealDate } from '../../clock.js'
import { CREATE, type FileSystem, linkFree, lookUp, remove, syncDirectory } from './fs.js'
import { LogFile } from './log-file.js'
import type { ArchiveNames } from './names.js'

const MAX_NAMES = 10_000

/** The name of the active file's successor during a rotation. */
export function successorPath(path: string): string {
  return `${path}.next`
}

/**
 * Gives the active file an archive's name and puts an empty successor in its place; resolves with both. The successor
 * is made before anything is renamed, and takes the active name in one step: a failure or crash at any point leaves a
 * file at the path. A crash between `link` and `rename` leaves the current file with both names; the next attempt goes
 * on from there.
 */
export async function rotate(
  fs: FileSystem,
  names: ArchiveNames,
  current: LogFile,
  options: { now: number; mode: number; fsync: boolean },
): Promise<{ archive: string; successor: LogFile }> {
  const path = names.path(names.active)
  const successor = await makeSuccessor(fs, successorPath(path), options)
  try {
    const archive = (await interrupted(fs, names, current)) ?? (await linkArchive(fs, names, current, options.now))
    // A power loss can keep the renaming and not the link: the current file would be left without a name.
    if (options.fsync) await syncDirectory(fs, names.directory)
    await fs.rename(successorPath(path), path)
    return { archive, successor }
  } catch (error) {
    await successor.close()
    throw error
  }
}

/** Finds the archive's name that an interrupted rotation has already given to the active file. */
export async function interrupted(fs: FileSystem, names: ArchiveNames, current: LogFile): Promise<string | undefined> {
  if (current.isUnarchived) return undefined
  if ((await current.status()).links > 1) {
    for (const { name } of names.among(await fs.readdir(names.directory)).reverse()) {
      if ((await lookUp(fs, names.path(name)))?.id === current.id) return name
    }
  }
  current.isUnarchived = true
  return undefined
}

/** Makes the successor anew. A file made by another user is never adopted: its maker could go on writing to it. */
async function makeSuccessor(
  fs: FileSystem,
  path: string,
  options: { mode: number; fsync: boolean },
): Promise<LogFile> {
  await removeLeftover(fs, path)
  const fd = await fs.open(path, CREATE, options.mode)
  try {
    const { id } = await fs.stat(fd)
    const successor = new LogFile(fs, fd, id, 0, options.fsync)
    successor.isUnarchived = true
    return successor
  } catch (error) {
    await fs.close(fd)
    throw error
  }
}

/** Removes the empty file that a failed rotation may have left; anything else belongs to somebody. */
async function removeLeftover(fs: FileSystem, path: string): Promise<void> {
  const found = await lookUp(fs, path)
  if (found === undefined) return
  if (found.kind === 'file' && found.size === 0 && found.links === 1) return remove(fs, path)
  throw new Error(`${path} is in the way: it is not an empty file, so this sink did not make it. Move it elsewhere.`)
}

/** Links instead of renaming, so that no file of that name is replaced. */
async function linkArchive(fs: FileSystem, names: ArchiveNames, current: LogFile, now: number): Promise<string> {
  current.isUnarchived = false
  for (let number = 0; number < MAX_NAMES; number++) {
    const name = names.name(now, number)
    if (await linkFree(fs, names.path(names.active), names.path(name))) return name
    // Over a network the answer to `link` can be lost, and its repetition then says EEXIST.
    if ((await lookUp(fs, names.path(name)))?.id === current.id) return name
  }
  throw new Error(`${MAX_NAMES} archives have the time ${new RealDate(now).toISOString()} in their names`)
}
