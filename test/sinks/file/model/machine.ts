import { dirname } from 'node:path'
import type { Clock } from '../../../../src/clock.js'
import type { FileStatus, FileSystem } from '../../../../src/sinks/file/fs.js'
import { DirectoryNode, type Node } from './directory-node.js'
import { type Disk, nameOf, posix } from './disk.js'
import { FileNode } from './file-node.js'

const BOOT_ID = '/proc/sys/kernel/random/boot_id'

/** The faults of a boot, each by the number of a call. */
export interface Plan {
  /** Rejects with EIO; a sync loses the bytes that it should have written. */
  readonly failAt?: number
  /** The power is lost. */
  readonly offAt?: number
  /** The call during which the power is lost was done before. */
  readonly isLastDone?: boolean
}

/** A machine from its boot until its power is lost: the file system that its processes see on a disk. */
export class Machine implements FileSystem {
  isOff = false
  calls = 0
  /** The text of each file that was deleted by this name. */
  readonly deleted: Array<{ name: string; text: string }> = []
  private readonly opened = new Map<number, Node>()
  private descriptors = 3
  private readonly bootId: FileNode

  constructor(
    private readonly disk: Disk,
    private readonly clock: Clock,
    private readonly plan: Plan = {},
  ) {
    this.bootId = disk.file()
    this.bootId.append(Buffer.from(`boot-${this.bootId.number}\n`), 0)
  }

  /** The number of open descriptors. */
  get descriptorCount(): number {
    return this.opened.size
  }

  open = (path: string, flags: number): Promise<number> =>
    this.run('open', () => {
      const node = path === BOOT_ID ? this.bootId : this.disk.open(path, flags)
      this.opened.set(this.descriptors, node)
      return this.descriptors++
    })

  close = (fd: number): Promise<void> =>
    this.run('close', () => {
      this.node(fd)
      this.opened.delete(fd)
    })

  write = async (fd: number, data: Uint8Array): Promise<number> => this.writeNow(fd, data)

  writeNow = (fd: number, data: Uint8Array): number =>
    this.act('write', () => {
      this.file(fd).append(data, this.clock.now())
      return data.byteLength
    })

  read = (fd: number, into: Uint8Array, position: number): Promise<number> =>
    this.run('read', () => {
      const part = this.file(fd).bytes.subarray(position, position + into.byteLength)
      into.set(part)
      return part.byteLength
    })

  truncate = (fd: number, length: number): Promise<void> =>
    this.run('truncate', () => this.file(fd).truncate(length, this.clock.now()))

  datasync = (fd: number): Promise<void> =>
    this.run(
      'datasync',
      () => this.file(fd).sync(),
      () => this.file(fd).failSync(),
    )

  sync = (fd: number): Promise<void> => this.run('sync', () => this.node(fd).sync())

  stat = (fd: number): Promise<FileStatus> => this.run('stat', () => this.status(this.node(fd)))

  lstat = (path: string): Promise<FileStatus> => this.run('lstat', () => this.status(this.disk.at(path)))

  touch = (fd: number, time: number): Promise<void> => this.run('touch', () => this.file(fd).touch(time))

  mkdir = (path: string): Promise<void> => this.run('mkdir', () => this.make(path))

  readdir = (path: string): Promise<string[]> =>
    this.run('readdir', () => {
      const node = this.disk.at(path)
      if (node instanceof FileNode) throw posix('ENOTDIR', path)
      return [...node.names.keys()]
    })

  link = (from: string, to: string): Promise<void> =>
    this.run('link', () => {
      const node = this.disk.at(from)
      if (node instanceof DirectoryNode) throw posix('EPERM', from)
      if (this.disk.find(to) !== undefined) throw posix('EEXIST', to)
      this.disk.parent(to).change([nameOf(to), node])
    })

  rename = (from: string, to: string): Promise<void> =>
    this.run('rename', () => {
      const node = this.disk.at(from)
      // Two names of one file: POSIX has both stay.
      if (this.disk.find(to) === node) return
      if (dirname(from) !== dirname(to)) throw new Error('the model moves nothing to another directory')
      this.disk.parent(to).change([nameOf(from), undefined], [nameOf(to), node])
    })

  unlink = (path: string): Promise<void> =>
    this.run('unlink', () => {
      const node = this.disk.at(path)
      if (node instanceof DirectoryNode) throw posix('EISDIR', path)
      this.deleted.push({ name: nameOf(path), text: new TextDecoder().decode(node.bytes) })
      this.disk.parent(path).change([nameOf(path), undefined])
    })

  space = async (): Promise<{ free: number; total: number; isLocal: boolean }> => {
    return { free: 2 ** 40, total: 2 ** 41, isLocal: true }
  }

  private make(path: string): void {
    if (this.disk.find(path) !== undefined) throw posix('EEXIST', path)
    this.disk.parent(path).change([nameOf(path), this.disk.directory()])
  }

  private node(fd: number): Node {
    const node = this.opened.get(fd)
    if (node === undefined) throw posix('EBADF', String(fd))
    return node
  }

  private file(fd: number): FileNode {
    const node = this.node(fd)
    if (node instanceof DirectoryNode) throw posix('EISDIR', String(fd))
    return node
  }

  private status(node: Node): FileStatus {
    const isFile = node instanceof FileNode
    return {
      id: `1:${node.number}`,
      size: isFile ? node.bytes.byteLength : 0,
      links: isFile ? this.disk.links(node) : 1,
      kind: isFile ? 'file' : 'directory',
      owner: 0,
      permissions: isFile ? 0o600 : 0o700,
      modified: isFile ? node.modified : node.born,
      born: node.born,
    }
  }

  private async run<T>(what: string, call: () => T, fail?: () => void): Promise<T> {
    return this.act(what, call, fail)
  }

  private act<T>(what: string, call: () => T, fail?: () => void): T {
    if (!this.isOff) this.calls++
    if (this.calls === this.plan.offAt && !this.isOff) {
      this.isOff = true
      if (this.plan.isLastDone) call()
    }
    if (this.isOff) throw posix('EIO', `the power is off, ${what}`)
    if (this.calls !== this.plan.failAt) return call()
    fail?.()
    throw posix('EIO', `made to fail, ${what}`)
  }
}
