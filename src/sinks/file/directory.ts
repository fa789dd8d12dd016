import { dirname } from 'node:path'
import { errorCode, type FileSystem, syncDirectory, unless } from './fs.js'

/** Makes the directory of `path`; with `fsync`, so that power loss does not take it and its file with it. */
export async function makeDirectory(fs: FileSystem, path: string, mode: number, fsync: boolean): Promise<void> {
  const directory = dirname(path)
  await mkdir(fs, directory, mode)
  if (!fsync) return
  // Those that are there already too: whoever made them may have been stopped before it could sync them.
  for (let made = directory; made !== dirname(made); made = dirname(made)) {
    // What may not be read was made by somebody else.
    await unless(['EACCES', 'EPERM'], syncDirectory(fs, dirname(made)))
  }
}

/**
 * One directory after another: asked for all of them at once, Node says ENOENT where the file system is read-only.
 * What is there already may be anything; opening the file in it tells.
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
