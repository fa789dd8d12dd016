import { hostname } from 'node:os'
import { errorCode, type FileSystem, READ_THROUGH, readSmall, unless } from './fs.js'

/** Identifies a process, so that another one can tell whether it still runs. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it was started, in the kernel's ticks since boot: a pid that was given again has another. Linux only. */
  readonly start: string | null
  /** Changes with every boot of the kernel. Linux only. */
  readonly boot: string | null
  /** A pid means nothing in another container. Linux only. */
  readonly pid_namespace: string | null
  readonly host: string
}

/** State of a process; `unknown` if its pid cannot be looked up from here. */
export type Liveness = 'self' | 'alive' | 'gone' | 'unknown'

const UNREADABLE = ['ENOENT', 'EACCES', 'EPERM', 'ESRCH', 'ENOTDIR']

/** Identifies this process. */
export async function identify(fs: FileSystem): Promise<ProcessIdentity> {
  const boot = await unless(UNREADABLE, readSmall(fs, '/proc/sys/kernel/random/boot_id'))
  return {
    pid: process.pid,
    start: (await readStat(fs, process.pid))?.start ?? null,
    boot: boot === undefined ? null : boot.text.trim(),
    pid_namespace: (await unless(UNREADABLE, readNamespace(fs))) ?? null,
    host: hostname(),
  }
}

/** Whether `other` still runs, as far as `self` can know. */
export async function liveness(fs: FileSystem, self: ProcessIdentity, other: ProcessIdentity): Promise<Liveness> {
  if (!sharesPids(self, other)) return 'unknown'
  if (other.pid === self.pid) {
    if (self.start === null || other.start === null) return 'unknown'
    return self.start === other.start ? 'self' : 'gone'
  }
  if (!exists(other.pid)) return 'gone'
  const stat = await readStat(fs, other.pid)
  if (stat === undefined || other.start === null) return 'unknown'
  // A zombie keeps its pid until its parent asks for it, which in a container may be never.
  return stat.start === other.start && !stat.dead ? 'alive' : 'gone'
}

/** Whether a pid means the same process to both: not so in two containers, nor before and after a reboot. */
export function sharesPids(self: ProcessIdentity, other: ProcessIdentity): boolean {
  return self.host === other.host && self.boot === other.boot && self.pid_namespace === other.pid_namespace
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false
    if (errorCode(error) === 'EPERM') return true
    throw error
  }
}

async function readStat(fs: FileSystem, pid: number): Promise<{ start: string; dead: boolean } | undefined> {
  const stat = await unless(UNREADABLE, readSmall(fs, `/proc/${pid}/stat`))
  if (stat === undefined) return undefined
  // The second field is the program's name in brackets and may hold anything, brackets and spaces included.
  const fields = stat.text.slice(stat.text.lastIndexOf(')') + 2).split(' ')
  const [state, start] = [fields[0], fields[19]]
  return start === undefined ? undefined : { start, dead: state === 'Z' || state === 'X' }
}

async function readNamespace(fs: FileSystem): Promise<string> {
  // `/proc/self/ns/pid` is a link by design, to be opened through.
  const fd = await fs.open('/proc/self/ns/pid', READ_THROUGH, 0)
  try {
    return (await fs.stat(fd)).id
  } finally {
    await fs.close(fd)
  }
}
