import { AuditSinkLocked, AuditSinkOpenFailed, AuditSinkUnavailable } from '../../errors.js'
import { errorCode, NotRegular } from './fs.js'

/** Remedies for errors that only the operator can mend; any other error may pass, as a full disk does. */
const REMEDIES: Record<string, string> = {
  EACCES:
    'this process may not write there. Set `path` (or `dataDir`) to a place where it may, or give its user the right',
  EPERM:
    'the system does not permit it (hard links are needed). Set `path` (or `dataDir`) to a directory of an ordinary file system',
  ENOTSUP: 'the file system cannot do it (hard links are needed). Set `path` (or `dataDir`) to another file system',
  EROFS: 'the file system is mounted read-only. Set `path` (or `dataDir`) to one that is not',
  ENOTDIR: 'a part of the path is a file, not a directory. Set `path` (or `dataDir`) to another place',
  EISDIR: 'it is a directory. Set `path` to a file in it',
  ELOOP: 'it is a symbolic link, which this sink does not follow. Set `path` to the file it leads to',
  ENAMETOOLONG: 'the name is too long. Set `path` to a shorter one',
  ENOENT:
    'a directory on the way to it is missing and cannot be made, or is a link that leads nowhere. Set `path` (or `dataDir`) to another place',
  ENOTOWNER:
    'it belongs to another user, in a directory that anybody may write to: whoever made it can rewrite the trail. Move it away, change its owner, or set `path` to a directory of your own',
  ENOTREG: 'it is not a regular file. Set `path` to one, or use `type: "stdout"` or streamSink() for pipes and devices',
}

/** Remedy if something is in the place of a file beside the audit file. */
const IN_THE_WAY = 'something is in the way of a file that this sink keeps beside it. Move it elsewhere'

/** Makes the error that `open` rejects with: it stops the boot, or says that the sink may work later. */
export function openError(sink: string, path: string, error: unknown): Error {
  if (error instanceof AuditSinkUnavailable || error instanceof AuditSinkLocked) return error
  const code = errorCode(error)
  const remedy = error instanceof NotRegular && error.path !== path ? IN_THE_WAY : REMEDIES[code ?? '']
  const said = error instanceof Error ? error.message : String(error)
  if (remedy === undefined) return new AuditSinkUnavailable(`${path} could not be opened: ${said}`, { cause: error })
  return new AuditSinkOpenFailed(sink, `${path}: ${code}, ${remedy}. (${said})`, { cause: error })
}
