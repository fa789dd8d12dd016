import type { FileNode, Random } from './file-node.js'

export type Node = FileNode | DirectoryNode

/** Names that come and go together: a rename is one change of two. */
type Change = ReadonlyArray<readonly [name: string, node: Node | undefined]>

/** A directory: the names that are in it now, and those that a power loss can leave. */
export class DirectoryNode {
  readonly names = new Map<string, Node>()
  /** The names at the last sync, and the changes since. */
  private synced = new Map<string, Node>()
  private changes: Change[] = []

  constructor(
    readonly number: number,
    readonly born: number,
  ) {}

  change(...change: Change): void {
    apply(this.names, change)
    this.changes.push(change)
  }

  sync(): void {
    this.synced = new Map(this.names)
    this.changes = []
  }

  /** The power is lost: of the changes that were not synced, chance decides which stay, whatever their order. */
  lose(random: Random, seen = new Set<Node>()): void {
    const chance = random()
    this.names.clear()
    for (const [name, node] of this.synced) this.names.set(name, node)
    for (const change of this.changes) if (random() < chance) apply(this.names, change)
    this.sync()
    for (const node of this.names.values()) {
      if (seen.has(node)) continue
      seen.add(node)
      node.lose(random, seen)
    }
  }

  /** The number of names of a file, here and below. */
  count(file: FileNode): number {
    let count = 0
    for (const node of this.names.values()) {
      if (node instanceof DirectoryNode) count += node.count(file)
      else if (node === file) count++
    }
    return count
  }
}

function apply(names: Map<string, Node>, change: Change): void {
  for (const [name, node] of change) {
    if (node === undefined) names.delete(name)
    else names.set(name, node)
  }
}
