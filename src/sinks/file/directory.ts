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

async function mkdir(fs: FileSystem, directory: string, mode: number): Promise<void> {
  try {
    await fs.mkdir(directory, mode)
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
    // Node says EEXIST when the last part is a file, ENOTDIR when another one is: the same mistake.
    throw Object.assign(new Error(`ENOTDIR: not a directory, mkdir '${directory}'`, { cause: error }), {
      code: 'ENOTDIR',
    })
  }
}
