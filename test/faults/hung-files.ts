/**
 * A server of its own process, with two file sinks whose disks come to hang: their writes really occupy a thread of
 * libuv each, as one to a dead NFS mount does, by opening a FIFO that nobody writes to.
 */
import { execFileSync } from 'node:child_process'
import { lookup } from 'node:dns/promises'
import { closeSync, constants, openSync, promises } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import audit, { type SinkStats } from '../../src/index.js'
import { fileSink } from '../../src/sinks/file/file-sink.js'
import { type FileSystem, nodeFileSystem } from '../../src/sinks/file/fs.js'

export interface HungFiles {
  before: number
  whileHung: number[]
  /** How many calls each hung disk had at a time, at most. */
  outstanding: number[]
  lookups: number
  withoutThreads: 'waits' | 'answers'
  after: number
  stats: Record<string, SinkStats>
}

const { O_RDWR, O_NONBLOCK } = constants

/** A place where threads wait until it is opened. */
class Barrier {
  private readonly path: string
  waiting = 0

  constructor(directory: string, name: string) {
    this.path = join(directory, `${name}.fifo`)
    execFileSync('mkfifo', [this.path])
  }

  /** Occupies a thread. */
  async wait(): Promise<void> {
    this.waiting++
    const handle = await promises.open(this.path, 'r')
    this.waiting--
    await handle.close()
  }

  /** Lets those who wait go on. */
  async release(): Promise<void> {
    const fd = openSync(this.path, O_RDWR | O_NONBLOCK)
    while (this.waiting > 0) await sleep(1)
    closeSync(fd)
  }
}

/** A disk that can come to hang. */
class Disk {
  readonly barrier: Barrier
  readonly fs: FileSystem
  isHung = false
  outstanding = 0
  most = 0

  constructor(directory: string, name: string) {
    this.barrier = new Barrier(directory, name)
    const call = <T>(real: () => Promise<T>): Promise<T> => this.call(real)
    const { write, lstat, open, rename, stat } = nodeFileSystem
    this.fs = {
      ...nodeFileSystem,
      write: (fd, data) => call(() => write(fd, data)),
      stat: (fd) => call(() => stat(fd)),
      lstat: (path) => call(() => lstat(path)),
      open: (path, flags, mode) => call(() => open(path, flags, mode)),
      rename: (from, to) => call(() => rename(from, to)),
    }
  }

  private async call<T>(real: () => Promise<T>): Promise<T> {
    if (!this.isHung) return real()
    this.outstanding++
    this.most = Math.max(this.most, this.outstanding)
    await this.barrier.wait()
    this.outstanding--
    return real()
  }

  async heal(): Promise<void> {
    this.isHung = false
    await this.barrier.release()
  }
}

const directory = process.argv[2] ?? ''
const disks = ['one', 'two'].map((name) => ({ name, disk: new Disk(directory, name) }))
const app = Fastify()
await app.register(audit, {
  sinks: disks.map(({ name, disk: { fs } }) => {
    const settings = { mode: 0o600, dirMode: 0o700, fsync: false, lockTimeout: 0 }
    const rotation = { rotateBytes: 0, rotateDuration: 0, rotateMaxFiles: 0, rotateMaxAge: 0, rotateMinAge: 0 }
    const path = join(directory, `${name}.log`)
    return { name, timeout: '100ms', sink: fileSink({ path, ...settings, ...rotation }, { fs }) }
  }),
})
app.get('/', async () => 'hello')
const statusOf = async (): Promise<number> => (await app.inject('/')).statusCode

const before = await statusOf()
for (const { disk } of disks) disk.isHung = true
const statuses = new Set<number>()
for (let count = 0; count < 200; count++) statuses.add(await statusOf())
// Some seconds in which a sink that works would be given its time.
const end = performance.now() + 2500
let lookups = 0
while (lookups < 20 || performance.now() < end) {
  await lookup('localhost')
  statuses.add(await statusOf())
  if (lookups < 20) lookups++
  await sleep(10)
}

const rest = new Barrier(directory, 'rest')
const taken = [rest.wait(), rest.wait()]
let isAnswered = false
const starved = lookup('localhost').then(() => {
  isAnswered = true
})
await sleep(500)
const withoutThreads = isAnswered ? 'answers' : 'waits'
await rest.release()
await Promise.all([...taken, starved])

await Promise.all(disks.map(({ disk }) => disk.heal()))
while (!app.audit.healthy) await sleep(10)
const after = await statusOf()
await app.close()
process.send?.({
  before,
  whileHung: [...statuses],
  outstanding: disks.map(({ disk }) => disk.most),
  lookups,
  withoutThreads,
  after,
  stats: app.audit.stats().sinks,
} satisfies HungFiles)
process.disconnect?.()
