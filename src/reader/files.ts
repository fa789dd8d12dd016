import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { AuditNoTrail } from '../errors.js'
import { unless } from '../sinks/file/fs.js'
import { inOrder } from './entry-order.js'
import { type Examined, examine, type UnreadableFile, unreadable } from './examine.js'
import { linkedTo } from './linked-files.js'
import type { TrailFile } from './trail-file.js'
import {
  activeNameOf,
  exactActiveNameOf,
  isCompanion,
  isLogName,
  isNamedAfter,
  uncompressedName,
} from './trail-names.js'

/** The files found. */
export interface FoundFiles {
  /** In the order of their first entries, each once. */
  readonly files: readonly TrailFile[]
  /** Files that are or may be a part of the trail, and cannot be read. */
  readonly unreadable: readonly UnreadableFile[]
}

/** The most files that are held open; those that may be renamed at any time come first. */
const MAX_HELD = 256
const LOCK = '.lock'

/**
 * Finds the files of trails by their content, whatever their names. A directory stands for all files in it, an active
 * file for everything beside it that belongs to its trail, and any other file for itself. Close them afterwards.
 *
 * @throws `FST_AUDIT_NO_TRAIL` when there is nothing to read at a path; the system's error for a directory that cannot
 * be read.
 */
export async function findFiles(paths: readonly string[]): Promise<FoundFiles> {
  const search = new Search()
  try {
    for (const path of paths) await search.take(path)
    return search.found()
  } finally {
    await search.closeOthers()
  }
}

export async function closeFiles(files: readonly TrailFile[]): Promise<void> {
  await Promise.all(files.map(({ handle }) => handle?.close()))
}

class Search {
  private readonly examined = new Map<string, Examined>()
  private readonly files = new Map<string, TrailFile>()
  private readonly unreadable = new Map<string, UnreadableFile>()
  private held = 0
  private result: FoundFiles | undefined

  async take(path: string): Promise<void> {
    const examined = await this.examine(path)
    if (examined.kind === 'directory') return this.takeDirectory(path)
    // An active file may have been moved away; then its archives are the trail.
    const names = new Set((await unless(['ENOENT', 'ENOTDIR'], readdir(dirname(path)))) ?? [])
    const isPart = activeNameOf(basename(path)) !== undefined && !activesIn(names).has(basename(path))
    const taken = [this.add(examined), !isPart && (await this.takeBeside(path, names))]
    if (!taken.includes(true)) throw new AuditNoTrail(path, 'there is no such file, and no archive of one beside it')
  }

  found(): FoundFiles {
    const ends = [...this.files.values()].map((file) => ({ ...file, last: undefined, file }))
    this.result = { files: inOrder(ends).map(({ file }) => file), unreadable: [...this.unreadable.values()] }
    return this.result
  }

  /** Closes files that are not a part of the result. */
  async closeOthers(): Promise<void> {
    const kept = new Set(this.result?.files)
    const files = [...this.examined.values()].flatMap((one) => (one.kind === 'file' ? [one.file] : []))
    await closeFiles(files.filter((file) => !kept.has(file)))
  }

  private async takeDirectory(directory: string): Promise<void> {
    const all = await this.examineAll(directory, await readdir(directory))
    const taken = [...all].map(([name, one]) => (isRecords(one) || mayBe(name, one, all)) && this.add(one))
    if (!taken.includes(true)) throw new AuditNoTrail(directory, 'the directory has none in it; name the file')
  }

  /** Adds the files that belong to the trail of an active file; false if there are none. */
  private async takeBeside(path: string, names: ReadonlySet<string>): Promise<boolean> {
    const active = basename(path)
    const actives = activesIn(names)
    const candidates = [...names].filter((name) => {
      const owner = activeNameOf(name) ?? name
      return owner === active || !actives.has(owner)
    })
    const all = await this.examineAll(dirname(path), candidates)
    const own = [...all].filter(
      ([name, one]) =>
        isNamedAfter(name, active) &&
        (isRecords(one) || exactActiveNameOf(name) === active || isSuspect(name, one, all)),
    )
    const taken = own.map(([, one]) => this.add(one))
    const others = [...all].filter(([name, one]) => !isNamedAfter(name, active) && isRecords(one))
    const linked = await linkedTo(filesOf(own.map(([, one]) => one)), filesOf(others.map(([, one]) => one)))
    for (const file of linked) this.files.set(file.id, file)
    return linked.length > 0 || taken.includes(true)
  }

  /** Returns false if there is nothing to add. */
  private add(examined: Examined): boolean {
    if (examined.kind === 'unreadable') this.unreadable.set(examined.unreadable.path, examined.unreadable)
    else if (examined.kind !== 'file') return false
    // A file has two names while it is rotated.
    else if (!this.files.has(examined.file.id)) this.files.set(examined.file.id, examined.file)
    return true
  }

  private async examineAll(directory: string, names: readonly string[]): Promise<Map<string, Examined>> {
    const found = new Map<string, Examined>()
    for (const name of [...names].sort(archivesLast)) {
      if (isCompanion(name)) continue
      const path = join(directory, name)
      const examined = await this.examine(path)
      const isInTheWay = examined.kind === 'directory' && exactActiveNameOf(name) !== undefined
      found.set(name, isInTheWay ? unreadable(path, 'it is a directory', 'closed') : examined)
    }
    return found
  }

  private async examine(path: string): Promise<Examined> {
    const known = this.examined.get(path)
    if (known !== undefined) return known
    const examined = await examine(path, this.held < MAX_HELD)
    if (examined.kind === 'file' && examined.file.handle !== undefined) this.held++
    this.examined.set(path, examined)
    return examined
  }
}

function isRecords(examined: Examined): boolean {
  return examined.kind === 'file' && examined.file.first !== undefined
}

/** Whether a file in which no record was found may be a part of a trail: a log by its name, or what cannot be read. */
function mayBe(name: string, examined: Examined, all: ReadonlyMap<string, Examined>): boolean {
  if (examined.kind === 'file') return isLogName(name) && !name.startsWith('.')
  return isSuspect(name, examined, all)
}

/** Whether a file that cannot be read may be a part of a trail that is beside it. */
function isSuspect(name: string, examined: Examined, all: ReadonlyMap<string, Examined>): boolean {
  if (examined.kind !== 'unreadable') return false
  const { kind } = examined.unreadable
  if (kind === 'special' || (kind === 'unknown' && name.startsWith('.'))) return isLogName(name)
  // While a file is being compressed, the original is still there.
  const plain = uncompressedName(name)
  return plain === name || all.get(plain)?.kind !== 'file'
}

/** Names that are surely those of active files: a lock stands beside them, or archives as the file sink names them. */
function activesIn(names: ReadonlySet<string>): Set<string> {
  const actives = new Set<string>()
  for (const name of names) {
    const active = name.endsWith(LOCK) ? name.slice(0, -LOCK.length) : exactActiveNameOf(name)
    if (active !== undefined) actives.add(active)
  }
  return actives
}

function filesOf(examined: readonly Examined[]): TrailFile[] {
  return examined.flatMap((one) => (one.kind === 'file' ? [one.file] : []))
}

/** Puts files whose names never change last. */
function archivesLast(one: string, other: string): number {
  const [a, b] = [one, other].map((name) => Number(exactActiveNameOf(name) !== undefined))
  return (a ?? 0) - (b ?? 0) || (one < other ? -1 : 1)
}
