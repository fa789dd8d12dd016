import type { KeyObject } from 'node:crypto'
import type { Checkpoint, CheckpointFunction } from '../../event/checkpoint.js'
import type { LifecycleDetails } from '../../event/event.js'
import type { Entry } from '../entry.js'
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
    return this.checkpoints?.isDue === true
  }

  /**
   * Seals a batch, behind what is to be said of the chain, or a checkpoint if one is due. A checkpoint is of what is
   * stored and explained: else lines could be taken out from before it, and be said by anybody behind it never to have
   * been stored.
   */
  take(taken: readonly Entry[], entries: SealEntries): Entry[] {
    const { sealer, checkpoints } = this
    if (taken.length === 0 && !this.isDue) return []
    const introduction = sealer.begin((details) =>
      entries.introduction({ sink: this.sink, ...details, ...checkpoints?.announced }),
    )
    const batch: Entry[] = []
    const first = introduction ?? (this.isDue ? this.checkpoint(entries) : null)
    if (first !== null && entries.write(first, true)) batch.push(first)
    for (const entry of taken) if (entries.write(entry, false)) batch.push(entry)
    return batch
  }

  private checkpoint(entries: SealEntries): Entry | null {
    const { storedSeq, head } = this.sealer
    return this.checkpoints?.make(storedSeq, head, (details) => entries.checkpoint(details)) ?? null
  }

  /** What became of a batch. */
  settle(batch: readonly Entry[]): void {
    this.sealer.settle(batch)
    this.checkpoints?.settle(batch)
  }
}
