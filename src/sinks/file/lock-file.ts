import { parseJson } from '../../json.js'
import { type FileSystem, readSmall, unless } from './fs.js'
import type { ProcessIdentity } from './process-identity.js'

/** The process that made a lock, as the lock describes it. */
export interface Holder extends ProcessIdentity {
  /** Minted for each lock, so that no two are ever taken for one another. */
  readonly token: string
  /** Minted by each copy of this module in each of a process's threads: it knows what it holds. */
  readonly instance: string
  /** When it was taken. */
  readonly since: string
}

/** A lock that was found at a path. */
export interface FoundLock {
  /** `null` if the lock cannot be parsed; then only its age counts. */
  readonly holder: Holder | null
  readonly token: string
  /** When it was last renewed, in milliseconds since the epoch. */
  readonly renewed: number
}

const TOKEN = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Reads the lock at `path`, or a claim on one; `undefined` when there is none. */
export async function readLock(fs: FileSystem, path: string): Promise<FoundLock | undefined> {
  const found = await unless(['ENOENT'], readSmall(fs, path))
  if (found === undefined) return undefined
  const holder = parseHolder(found.text)
  // A lock is linked into place when it is whole; after a power loss it can be empty all the same.
  const token = holder?.token ?? `unreadable-${found.status.id.replace(':', '-')}`
  return { holder, token, renewed: found.status.modified }
}

function parseHolder(text: string): Holder | null {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null) return null
  const { pid, start, boot, pid_namespace, host, token, instance, since } = { ...NOTHING, ...value }
  // The token becomes part of file names, and the pid is signalled: accept only values that this sink writes.
  if (typeof token !== 'string' || !TOKEN.test(token)) return null
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0) return null
  if (!isTextOrNull(start) || !isTextOrNull(boot) || !isTextOrNull(pid_namespace)) return null
  if (typeof host !== 'string' || typeof instance !== 'string' || typeof since !== 'string') return null
  return { pid, start, boot, pid_namespace, host, token, instance, since }
}

const NOTHING: Record<keyof Holder, unknown> = {
  pid: null,
  start: null,
  boot: null,
  pid_namespace: null,
  host: null,
  token: null,
  instance: null,
  since: null,
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}
