import type { FileHandle } from 'node:fs/promises'
import type { Mark } from './mark.js'

/** One file of a trail, as it was when the files were looked for. */
export interface TrailFile {
  readonly path: string
  /** Device and inode: a file keeps them when it is renamed. */
  readonly id: string
  /** No more than this is read, so that reading a file twice gives the same. */
  readonly size: number
  /** Open since the files were looked for: a file may be renamed or deleted at any time. Only some are held open. */
  readonly handle: FileHandle | undefined
  /** The mark of its first record, if one was found near its beginning. */
  readonly first: Mark | undefined
}
