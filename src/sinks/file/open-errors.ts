import { AuditSinkLocked, AuditSinkOpenFailed, AuditSinkUnavailable } from '../../errors.js'
import { errorCode } from './fs.js'

/** What only the operator can mend, and how; anything else may pass, as a full disk does. */
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
  ENOTREG: 'it is not a regular file. Set `path` to one, or use `type: "stdout"` or streamSink() for pipes and devices',
}

/** What `open` rejects with: an error that stops the boot, or one that says that the sink may work later. */
export function openError(sink: string, path: string, error: unknown): Error {
  if (error instanceof AuditSinkUnavailable || error instanceof AuditSinkLocked) return error
  const code = errorCode(error)
  const remedy = REMEDIES[code ?? '']
  const said = error instanceof Error ? error.message : String(error)
  if (remedy === undefined) return new AuditSinkUnavailable(`${path} could not be opened: ${said}`, { cause: error })
  return new AuditSinkOpenFailed(sink, `${path}: ${code}, ${remedy}. (${said})`, { cause: error })
}

/** What is at the path cannot be appended to. */
export class NotRegular extends Error {
  readonly code = 'ENOTREG'

  constructor(path: string) {
    super(`${path} is not a regular file`)
  }
}
