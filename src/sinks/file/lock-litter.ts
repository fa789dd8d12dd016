import { basename, dirname, join } from 'node:path'
import type { Clock } from '../../clock.js'
import { type FileSystem, lookUp, remove } from './fs.js'

/** Milliseconds without a renewal; a waiting process renews its file ten times a second. */
const ABANDONED_AFTER = 3_600_000
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const CLAIM = 'claim-'

/** Removes files left beside the lock at `path` by processes that died while taking it. Only the holder may call it. */
export async function removeLitter(fs: FileSystem, clock: Clock, path: string): Promise<void> {
  const prefix = `${basename(path)}.`
  for (const name of await fs.readdir(dirname(path))) {
    if (!name.startsWith(prefix) || !isOurs(name.slice(prefix.length))) continue
    const litter = join(dirname(path), name)
    const found = await lookUp(fs, litter)
    if (found?.kind === 'file' && clock.now() - found.modified > ABANDONED_AFTER) await remove(fs, litter)
  }
}

function isOurs(name: string): boolean {
  return UUID.test(name.startsWith(CLAIM) ? name.slice(CLAIM.length) : name)
}
