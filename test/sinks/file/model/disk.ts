import { constants } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '../../../../src/clock.js'
import { DirectoryNode, type Node } from './directory-node.js'
import { FileNode, type Random } from './file-node.js'

/** The error that Node would reject with. */
export function posix(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code })
}

/**
 * A disk that forgets. Everybody can read written bytes at once, but after a power loss, bytes that were not synced are
 * there in part or not at all. Symbolic links and permissions are not modelled.
 */
export class Disk {
  private readonly root: DirectoryNode
  private numbers = 0

  constructor(private readonly clock: Clock) {
    this.root = this.directory()
  }

  directory(): DirectoryNode {
    return new DirectoryNode(this.numbers++, this.clock.now())
  }

  file(): FileNode {
    return new FileNode(this.numbers++, this.clock.now())
  }

  lose(random: Random): void {
    this.root.lose(random)
  }

  links(file: FileNode): number {
    return this.root.count(file)
  }

  /** The node at a path, if there is one. */
  find(path: string): Node | undefined {
    let node: Node | undefined = this.root
    for (const name of path.split('/').filter((part) => part !== '')) {
      if (node === undefined) return undefined
      if (node instanceof FileNode) throw posix('ENOTDIR', path)
      node = node.names.get(name)
    }
    return node
  }

  /** The node at a path; throws if there is none. */
  at(path: string): Node {
    const node = this.find(path)
    if (node === undefined) throw posix('ENOENT', path)
    return node
  }

  /** The directory that a path's last name is in. */
  parent(path: string): DirectoryNode {
    const node = this.at(dirname(path))
    if (node instanceof FileNode) throw posix('ENOTDIR', path)
    return node
  }

  /** The file that `open` gives, with its flags. */
  open(path: string, flags: number): Node {
    const found = this.find(path)
    const has = (flag: number): boolean => (flags & flag) !== 0
    if (found !== undefined) {
      if (has(constants.O_EXCL)) throw posix('EEXIST', path)
      if (has(constants.O_DIRECTORY) && found instanceof FileNode) throw posix('ENOTDIR', path)
      if (has(constants.O_RDWR) && found instanceof DirectoryNode) throw posix('EISDIR', path)
      return found
    }
    if (!has(constants.O_CREAT)) throw posix('ENOENT', path)
    const made = this.file()
    this.parent(path).change([nameOf(path), made])
    return made
  }

  /** The text of each file in a directory, by name. */
  texts(path: string): Map<string, string> {
    const node = this.find(path)
    if (!(node instanceof DirectoryNode)) return new Map()
    const files = [...node.names].flatMap(([name, found]) => (found instanceof FileNode ? [{ name, found }] : []))
    return new Map(files.map(({ name, found }) => [name, new TextDecoder().decode(found.bytes)]))
  }
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
