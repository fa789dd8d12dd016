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
 * Rejects an audit file that a stranger may have planted: it lies in a directory that anybody may write to, and belongs
 * neither to this process's user, nor to root, nor to the directory's owner. Other doubts are only logged: a volume may
 * come from another user, and some file systems show every file as writable by all.
 *
 * @param own - the owner of a file that this process has just made there; NFS may show another user id than the process
 * has.
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
