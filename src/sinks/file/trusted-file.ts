import { dirname } from 'node:path'
import type { SinkLogger } from '../../logger.js'
import { type FileStatus, type FileSystem, statDirectory } from './fs.js'

/** The bit of `chmod` that lets anybody write. */
const ANYBODY_WRITES = 0o002
const ROOT = 0

/** A file that was not made by this process's user. */
export class ForeignFile extends Error {
  readonly code = 'ENOTOWNER'
}

/**
 * Rejects when the audit file can be somebody's trap: in a directory that anybody may write to, it belongs to a user
 * who could not replace it anyway. Other doubts are logged, for a file may have come from another user with its volume,
 * and some file systems show every file as writable by all.
 *
 * @param own - the user id that a file which this process has just made there has: NFS may show another than our own.
 */
export async function expectTrusted(
  fs: FileSystem,
  path: string,
  { owner, permissions }: FileStatus,
  { own, mode, log }: { own: number; mode: number; log: SinkLogger },
): Promise<void> {
  if (owner !== own && owner !== ROOT) {
    const directory = await statDirectory(fs, dirname(path))
    if (owner !== directory.owner) {
      if ((directory.permissions & ANYBODY_WRITES) !== 0)
        throw new ForeignFile(`${path} belongs to the user id ${owner}`)
      log.warn({ path, owner }, 'the audit file belongs to another user, who can rewrite it; change its owner')
    }
  }
  if ((permissions & ~mode & ANYBODY_WRITES) !== 0) {
    log.warn(
      { path, mode: permissions.toString(8) },
      'anybody may write to the audit file, and so rewrite it; change its mode',
    )
  }
}
