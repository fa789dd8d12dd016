import { dirname } from 'node:path'
import { errorCode, type FileSystem, syncDirectory, unless } from './fs.js'

/** Makes the directory of `path`; with `fsync` it survives a power loss. */
export async function makeDirectory(fs: FileSystem, path: string, mode: number, fsync: boolean): Promise<void> {
  const directory = dirname(path)
  await mkdir(fs, directory, mode)
  if (!fsync) return
  // Existing directories too: the process that made them may have stopped before it could sync them.
  for (let made = directory; made !== dirname(made); made = dirname(made)) {
    // A directory that may not be read was made by somebody else.
    await unless(['EACCES', 'EPERM'], syncDirectory(fs, dirname(made)))
  }
}

/**
 * Makes one directory after another: a recursive call of Node's gives ENOENT on a read-only file system. If something
 * else is in a directory's place, opening the file fails later.
 */
async function mkdir(fs: FileSystem, directory: string, mode: number): Promise<void> {
  const make = (): Promise<void> => unless(['EEXIST'], fs.mkdir(directory, mode))
  try {
    await make()
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || dirname(directory) === directory) throw error
    await mkdir(fs, dirname(directory), mode)
    await make()
  }
}
