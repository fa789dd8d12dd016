import type { Stats } from 'node:fs'
import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { AuditNoTrail } from '../errors.js'
import { type Archive, ArchiveNames } from '../sinks/file/names.js'

/** One file of a trail, as it was when the files were looked for. */
export interface TrailFile {
  readonly path: string
  /** No more than this is read, so that reading a file twice gives the same. */
  readonly size: number
  /** When it was rotated, by its name, in milliseconds since the epoch; the active file was not. */
  readonly rotatedAt: number | undefined
  /** Open since the files were looked for: the active file may be rotated, and so renamed, at any time. */
  readonly handle: FileHandle | undefined
}

/** A file before it is looked at. */
interface Candidate {
  path: string
  archive: Archive | undefined
  handle: FileHandle | undefined
}

/** An archive's name by what it is made of: the trail's own name, the time, a number, the extension. */
const ARCHIVE = /^(.*)-\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}\.\d{3}Z(?:-\d{1,9})?(\.[^.]*)?$/s
/** What the file sink puts beside a trail. */
const COMPANION = /\.(?:lock|hold|next|probe)$|\.lock\.|\.torn-/
const LOG = /\.(?:log|jsonl|ndjson)(?:\.gz)?$/
const GZIP = '.gz'

/**
 * The files of trails in the order in which they were written: each trail's archives by time, then its active file.
 * A directory stands for the trails in it, an active file for its archives beside it as well. Close them afterwards.
 *
 * @throws `FST_AUDIT_NO_TRAIL` when there is nothing to read at a path; the system's error when one cannot be opened.
 */
export async function findFiles(paths: readonly string[]): Promise<TrailFile[]> {
  const trails = new Map<string, Candidate[]>()
  const found: TrailFile[] = []
  try {
    for (const path of paths) await collect(path, trails)
    const known = new Set<string>()
    for (const candidates of trails.values()) {
      for (const candidate of await identified(candidates, known)) found.push(candidate)
    }
    return found
  } catch (error) {
    await closeFiles([...trails.values()].flat())
    throw error
  }
}

export async function closeFiles(files: readonly { readonly handle: FileHandle | undefined }[]): Promise<void> {
  await Promise.all(files.map(({ handle }) => handle?.close()))
}

/** The name of the active file that an archive's name, compressed or not, was made of. */
export function activeNameOf(name: string): string | undefined {
  const plain = withoutGzip(name)
  const [, stem, extension = ''] = ARCHIVE.exec(plain) ?? []
  if (stem === undefined) return undefined
  const active = stem + extension
  return new ArchiveNames(active).parse(plain) === undefined ? undefined : active
}

async function collect(path: string, trails: Map<string, Candidate[]>): Promise<void> {
  const status = await statOrNone(path)
  if (status?.isDirectory()) return collectDirectory(path, trails)
  if (status !== undefined && !status.isFile()) {
    throw new AuditNoTrail(path, 'it is not a regular file; write what it gives into one first')
  }
  const active = activeNameOf(basename(path))
  if (active !== undefined) return add(trails, join(dirname(path), active), candidateOf(path, active))
  // Opened before its directory is read: if it is rotated in between, it is found twice, which is noticed.
  if (status !== undefined) add(trails, path, { path, archive: undefined, handle: await open(path, 'r') })
  for (const archive of await archivesOf(path)) add(trails, path, archive)
  // Of a trail whose server is down, the active file may have been moved away.
  if (!trails.has(path)) throw new AuditNoTrail(path, 'there is no such file, and no archive of one beside it')
}

async function collectDirectory(directory: string, trails: Map<string, Candidate[]>): Promise<void> {
  const names = new Set(await readdir(directory))
  const actives = new Set<string>()
  for (const name of [...names].sort()) {
    const active = activeNameOf(name)
    if (active !== undefined) actives.add(active)
    else if (isLog(name, names)) actives.add(name)
  }
  if (actives.size === 0) throw new AuditNoTrail(directory, 'the directory has none in it; name the file')
  for (const active of actives) {
    const path = join(directory, active)
    if ((await statOrNone(path))?.isDirectory() !== true) await collect(path, trails)
  }
}

function isLog(name: string, names: ReadonlySet<string>): boolean {
  if (name.startsWith('.') || COMPANION.test(name)) return false
  if (name.endsWith(GZIP) && names.has(withoutGzip(name))) return false
  return LOG.test(name) || names.has(`${name}.lock`)
}

/** The archives beside an active file; of one that is there compressed and not, the latter: the other may be half done. */
async function archivesOf(path: string): Promise<Candidate[]> {
  const active = basename(path)
  const names = await readdir(dirname(path))
  const present = new Set(names)
  return names
    .filter((name) => activeNameOf(name) === active && !(name.endsWith(GZIP) && present.has(withoutGzip(name))))
    .map((name) => candidateOf(join(dirname(path), name), active))
}

function candidateOf(path: string, active: string): Candidate {
  const archive = new ArchiveNames(active).parse(withoutGzip(basename(path)))
  return { path, archive, handle: undefined }
}

function add(trails: Map<string, Candidate[]>, trail: string, candidate: Candidate): void {
  const candidates = trails.get(trail)
  if (candidates === undefined) trails.set(trail, [candidate])
  else candidates.push(candidate)
}

/** In their order, each once, whatever names it has: a rotation gives a file its second name before it takes the first. */
async function identified(candidates: Candidate[], known: Set<string>): Promise<TrailFile[]> {
  const files: TrailFile[] = []
  for (const { path, archive, handle } of candidates.sort(inOrder)) {
    const status = handle === undefined ? await statOrNone(path) : await handle.stat()
    if (status === undefined) continue
    const id = `${status.dev}:${status.ino}`
    if (known.has(id)) {
      await handle?.close()
      continue
    }
    known.add(id)
    files.push({ path, size: status.size, rotatedAt: archive?.time, handle })
  }
  return files
}

function inOrder(one: Candidate, other: Candidate): number {
  if (one.archive === undefined || other.archive === undefined) {
    return Number(one.archive === undefined) - Number(other.archive === undefined)
  }
  return one.archive.time - other.archive.time || one.archive.number - other.archive.number
}

function withoutGzip(name: string): string {
  return extname(name) === GZIP ? name.slice(0, -GZIP.length) : name
}

async function statOrNone(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
