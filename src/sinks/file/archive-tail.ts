import type { SinkLogger } from '../../logger.js'
import { type FileSystem, lookUp } from './fs.js'
import type { ArchiveNames } from './names.js'
import { lastLineOf } from './tail.js'

/** The last whole line, or the last that has a seal, of the newest archive that has one. */
export async function lastLineOfArchives(
  fs: FileSystem,
  names: ArchiveNames,
  isSealed: boolean,
  log: SinkLogger,
): Promise<string | undefined> {
  for (const { name } of names.among(await fs.readdir(names.directory)).reverse()) {
    const path = names.path(name)
    const found = await lookUp(fs, path)
    if (found === undefined) continue
    if (found.kind !== 'file') {
      log.warn({ path }, `a ${found.kind} has the name of an archive; it is passed over`)
      continue
    }
    const line = await lastLineOf(fs, path, isSealed)
    if (line !== undefined) return line
  }
  return undefined
}
