import type { KeyObject } from 'node:crypto'
import { type Entry, OwnEntry } from '../entry.js'
import type { LifecycleDetails } from '../event.js'
import type { Checkpoint, CheckpointFunction } from './checkpoint.js'
import { type CheckpointContext, Checkpoints } from './checkpoints.js'
import { Sealer } from './sealer.js'

/** What is sealed with, every option decided. */
export interface SealSettings {
  /** Undefined: a plain hash, which anyone can compute. */
  readonly secret: Uint8Array | undefined
  readonly keyId: string
  /** Undefined: no checkpoints. */
  readonly privateKey: KeyObject | undefined
  readonly checkpointEvery: number
  /** Milliseconds. */
  readonly checkpointInterval: number
  readonly onCheckpoint: CheckpointFunction | undefined
}

/** Makes the entries that a chain needs beside those of the trail. */
export interface SealEntries {
  introduction(details: LifecycleDetails['seal']): Entry
  checkpoint(details: Checkpoint): Entry
  /** Gives an entry its `seq` and its line; false when it has none and is lost. */
  write(entry: Entry, isOwn: boolean): boolean
}

/** What a sealed lane has: a chain, and checkpoints of it where there is a key to sign them with. */
export class Seal {
  readonly sealer: Sealer
  readonly checkpoints: Checkpoints | null
  private readonly sink: string

  constructor({ privateKey, ...settings }: SealSettings, context: CheckpointContext) {
    this.sink = context.sink
    this.sealer = new Sealer(settings)
    this.checkpoints = privateKey === undefined ? null : new Checkpoints({ privateKey, ...settings, ...context })
  }

  /** A checkpoint is due. */
  get isDue(): boolean {
    return this.checkpoints?.isDue() === true
  }

  /** Seals a batch: behind what is to be said of the chain, and before a checkpoint if one is due. */
  take(taken: readonly Entry[], entries: SealEntries): Entry[] {
    const { sealer, checkpoints } = this
    if (taken.length === 0 && !this.isDue) return []
    const introduction = sealer.begin((details) =>
      entries.introduction({ sink: this.sink, ...details, ...checkpoints?.announced }),
    )
    const batch: Entry[] = []
    if (introduction !== null && entries.write(introduction, true)) batch.push(introduction)
    for (const entry of taken) if (entries.write(entry, false)) batch.push(entry)
    if (checkpoints?.isDue(batch.filter(isOfTraffic).length) !== true) return batch
    const checkpoint = checkpoints.make(sealer.headSeq, sealer.head, (details) => entries.checkpoint(details))
    if (entries.write(checkpoint, true)) batch.push(checkpoint)
    return batch
  }

  /** What became of a batch. */
  settle(batch: readonly Entry[]): void {
    this.sealer.settle(batch)
    this.checkpoints?.settle(batch.filter((entry) => entry.fate === 'stored' && isOfTraffic(entry)).length)
  }
}

/** A checkpoint of rotations alone would make a file worth rotating, for ever. */
function isOfTraffic(entry: Entry): boolean {
  return !(entry instanceof OwnEntry)
}
