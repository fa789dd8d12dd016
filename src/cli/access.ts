import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { hostname, userInfo } from 'node:os'
import { idOf } from '../reader/contents.js'
import { closeFiles, findFiles } from '../reader/files.js'
import { printableJson } from './terminal.js'
import { UsageError } from './usage.js'

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants

/** One use of the command line on a trail. */
export interface Access {
  readonly command: string
  readonly args: readonly string[]
  readonly paths: readonly string[]
}

/**
 * Appends a line that says who reads what, and waits until it is on disk.
 *
 * @throws {UsageError} when the file is a part of the trail itself; the system's error when it cannot be written.
 */
export async function recordAccess(file: string, access: Access): Promise<void> {
  const { files } = await findFiles(access.paths)
  await closeFiles(files)
  const handle = await open(file, O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY, 0o600)
  try {
    const own = idOf(await handle.stat())
    if (files.some(({ id }) => id === own)) {
      throw new UsageError(`--record-access ${file} is a part of the trail`)
    }
    await handle.writeFile(`${printableJson(describe(access))}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function describe({ command, args }: Access): object {
  return {
    time: new Date().toISOString(),
    user: userName(),
    uid: process.getuid?.() ?? null,
    // The user who called sudo; only as reliable as the environment.
    sudo_user: process.env.SUDO_USER ?? null,
    host: hostname(),
    pid: process.pid,
    directory: process.cwd(),
    command,
    arguments: args,
  }
}

/** Returns `null` if the user has no name, as in some containers. */
function userName(): string | null {
  try {
    return userInfo().username
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_SYSTEM_ERROR') return null
    throw error
  }
}
