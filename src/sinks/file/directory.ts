import { dirname } from 'node:path'
import { errorCode, type FileSystem, syncDirectory } from './fs.js'

/** Makes the directory of `path`; with `fsync`, so that power loss does not take it and its file with it. */
export async function makeDirectory(fs: FileSystem, path: string, mode: number, fsync: boolean): Promise<void> {
  const directory = dirname(path)
  const first = await mkdir(fs, directory, mode)
  if (first === undefined || !fsync) return
  const above = dirname(first)
  for (let made = directory; made !== above; made = dirname(made)) await syncDirectory(fs, dirname(made))
}

async function mkdir(fs: FileSystem, directory: string, mode: number): Promise<string | undefined> {
  try {
    return await fs.mkdir(directory, mode)
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
    // Node says EEXIST when the last part is a file, ENOTDIR when another one is: the same mistake.
    throw Object.assign(new Error(`ENOTDIR: not a directory, mkdir '${directory}'`, { cause: error }), {
      code: 'ENOTDIR',
    })
  }
}
