import { basename, extname } from 'node:path'
import type { SinkLogger } from '../../logger.js'
import { type FileSystem, NotRegular, unless } from './fs.js'
import type { Archive, ArchiveNames } from './names.js'
import { lastLineOf } from './tail.js'

/**
 * The last whole line, or the last that has a seal, of the newest archive that has one. Archives that others have
 * compressed count as well; one that cannot be decompressed is passed over, for it must not keep a server from
 * starting.
 */
export async function lastLineOfArchives(
  fs: FileSystem,
  names: ArchiveNames,
  isSealed: boolean,
  log: SinkLogger,
): Promise<string | undefined> {
  const present = await fs.readdir(names.directory)
  for (const { name } of present.flatMap((one) => archiveOf(one, names) ?? []).sort(newestFirst)) {
    const path = names.path(name)
    const reading = unless(['ENOENT'], lastLineOf(fs, path, isSealed))
    const line = await unlessUnusable(reading, path, log)
    if (line !== undefined) return line
  }
  return undefined
}

/** An archive by its name, and by its name without what a program that compresses adds to it. */
function archiveOf(name: string, names: ArchiveNames): Archive | undefined {
  const archive = names.parse(name) ?? names.parse(basename(name, extname(name)))
  return archive === undefined ? undefined : { ...archive, name }
}

/** While an archive is being compressed it is there twice: then the file that is whole comes first. */
function newestFirst(one: Archive, other: Archive): number {
  return other.time - one.time || other.number - one.number || one.name.length - other.name.length
}

async function unlessUnusable<Value>(
  reading: Promise<Value>,
  path: string,
  log: SinkLogger,
): Promise<Value | undefined> {
  try {
    return await reading
  } catch (err) {
    if (err instanceof NotRegular) {
      log.warn({ path }, `a ${err.kind} has the name of an archive; it is passed over`)
      return undefined
    }
    const code = err instanceof Error && 'code' in err ? String(err.code) : ''
    if (!/^(?:FST_AUDIT_FILE_UNREADABLE$|Z_|ZSTD_)/.test(code)) throw err
    log.error(
      { path, err },
      'an archive cannot be decompressed, so a sealed trail may go on from an older line than its last',
    )
    return undefined
  }
}
