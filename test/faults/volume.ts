import { execFileSync } from 'node:child_process'
import {
  accessSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, type TestContext } from 'vitest'
import { errorCode } from '../../src/sinks/file/fs.js'

/** A small file system of its own, which a test can fill up. */
export interface Volume {
  readonly directory: string
  /** Takes all the room that is left. */
  fill(): void
  /** Gives it back. */
  free(): void
  /** Mounts it read-only; nothing on it may be open for writing. */
  makeReadOnly(): void
  /** Makes an ext4 read-only as the kernel does after an error of the disk, whatever is open: what is not synced is lost. */
  abort(): void
  unmount(): void
  /** Whether anything on it is still open, although it is unmounted. */
  isInUse(): boolean
  mountAgain(): void
}

export type VolumeKind = 'tmpfs' | 'ext4'

/** What is mounted: so many KiB, several times what a test stores, and so many files. */
const SIZES = { tmpfs: 2048, ext4: 4096 }
const INODES = 64

/** Runs what needs rights; where it is not permitted the test is skipped and says why, but never in CI. */
export function ifPermitted<Result>(context: TestContext, what: string, attempt: () => Result): Result {
  try {
    return attempt()
  } catch (error) {
    if (process.env.CI) throw error
    return context.skip(`${what} is not permitted here: ${String(error)}`)
  }
}

/** Mounts a volume until the test is over. */
export function mountVolume(context: TestContext, kind: VolumeKind, inodes = INODES): Volume {
  const root = mkdtempSync(join(tmpdir(), 'audit-volume-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const directory = mkdtempSync(join(root, 'mounted-'))
  const image = join(root, 'image')
  if (kind === 'ext4') ifPermitted(context, 'a loop device', () => accessSync('/dev/loop-control'))
  ifPermitted(context, `mounting ${kind}`, () => mount(kind, image, directory, inodes))
  onTestFinished(() => unmount(directory))
  const filler = join(directory, 'filler')
  return {
    directory,
    fill: () => fill(filler),
    free: () => unlinkSync(filler),
    makeReadOnly: () => void run('mount', '-o', 'remount,ro', directory),
    abort: () => void run('mount', '-o', 'remount,abort', directory),
    unmount: () => unmount(directory),
    isInUse: () => run('losetup', '--associated', image) !== '',
    mountAgain: () => void run('mount', '-o', 'loop', image, directory),
  }
}

function mount(kind: VolumeKind, image: string, directory: string, inodes: number): void {
  const size = SIZES[kind]
  if (kind === 'tmpfs') {
    run('mount', '-t', 'tmpfs', '-o', `size=${size}k,nr_inodes=${inodes}`, 'audit-test', directory)
    return
  }
  writeFileSync(image, new Uint8Array(size * 1024))
  // Without the blocks that are kept for root, which would make the disk look full to everybody else alone.
  run('mkfs.ext4', '-q', '-F', '-m', '0', '-N', String(inodes), image)
  run('mount', '-o', 'loop', image, directory)
}

/** Lazily: a test that failed may have left a file open, and no mount must outlive it. */
function unmount(directory: string): void {
  if (readFileSync('/proc/mounts', 'utf8').includes(` ${directory} `)) run('umount', '--lazy', directory)
}

function fill(path: string): void {
  const fd = openSync(path, existsSync(path) ? 'a' : 'wx')
  try {
    for (const size of [65_536, 4096, 512, 1]) while (fits(fd, new Uint8Array(size)));
  } finally {
    closeSync(fd)
  }
}

function fits(fd: number, data: Uint8Array): boolean {
  try {
    writeSync(fd, data)
    return true
  } catch (error) {
    if (errorCode(error) === 'ENOSPC') return false
    throw error
  }
}

export function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
