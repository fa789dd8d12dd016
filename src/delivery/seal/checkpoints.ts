import type { KeyObject } from 'node:crypto'
import { channel } from 'node:diagnostics_channel'
import { type Clock, toIsoTime } from '../../clock.js'
import { type Checkpoint, type CheckpointFunction, keyIdOf, signCheckpoint } from '../../event/checkpoint.js'
import type { SinkLogger } from '../../logger.js'
import { type Entry, OwnEntry } from '../entry.js'

/** Publishes checkpoints of all servers of a process. */
const CHANNEL = channel('fastify-audit-log:checkpoint')

/** The lane that is sealed. */
export interface CheckpointContext {
  /** The sink's name. */
  readonly sink: string
  /** The server's run. */
  readonly instance: string
  readonly clock: Clock
  readonly log: SinkLogger
}

export interface CheckpointOptions extends CheckpointContext {
  readonly privateKey: KeyObject
  /** The number of entries that make a checkpoint due. */
  readonly checkpointEvery: number
  /** The time after which an entry makes a checkpoint due, in milliseconds; 0: never. */
  readonly checkpointInterval: number
  readonly onCheckpoint: CheckpointFunction | undefined
}

/** Makes the checkpoints of one chain, and hands out the stored ones. */
export class Checkpoints {
  /** The signing key, as the entry `seal` names it. */
  readonly announced: { readonly signing_key: string }
  /** Makes a checkpoint due even for one entry: the file was rotated, or the server closes. */
  private isWanted = false
  /** The entries after the last checkpoint, and the time of the first of them. */
  private unsigned = 0
  private unsignedSince = 0
  private made: { entry: Entry; checkpoint: Checkpoint } | null = null
  private handing: Promise<void> = Promise.resolve()

  constructor(private readonly options: CheckpointOptions) {
    this.announced = { signing_key: keyIdOf(options.privateKey) }
  }

  want(): void {
    this.isWanted = true
  }

  get isDue(): boolean {
    const { unsigned } = this
    const { checkpointEvery, checkpointInterval, clock } = this.options
    if (unsigned === 0) return false
    if (this.isWanted || unsigned >= checkpointEvery) return true
    return checkpointInterval > 0 && clock.monotonic() - this.unsignedSince >= checkpointInterval
  }

  /** Signs the line that has this number and hash, in an entry that `write` makes. */
  make(line: { readonly seq: number; readonly hash: string }, write: (checkpoint: Checkpoint) => Entry): Entry {
    const { sink, instance, clock, privateKey } = this.options
    const checkpoint = signCheckpoint({ sink, instance, ...line, time: toIsoTime(clock.now()) }, privateKey)
    const entry = write(checkpoint)
    this.isWanted = false
    this.made = { entry, checkpoint }
    return entry
  }

  /** Takes the fates of a batch. */
  settle(batch: readonly Entry[]): void {
    const { made } = this
    this.made = null
    if (made?.entry.fate === 'stored') {
      this.unsigned = 0
      this.handing = this.handOut(made.checkpoint)
    } else if (made !== null) this.isWanted = true
    if (this.unsigned === 0) this.unsignedSince = this.options.clock.monotonic()
    this.unsigned += batch.filter(
      (entry) => entry.fate === 'stored' && entry !== made?.entry && isOfTraffic(entry),
    ).length
  }

  /** Resolves when `onCheckpoint` has settled for the last checkpoint. */
  handedOut(): Promise<void> {
    return this.handing
  }

  private async handOut(checkpoint: Checkpoint): Promise<void> {
    CHANNEL.publish(checkpoint)
    try {
      await this.options.onCheckpoint?.(checkpoint)
    } catch (error) {
      // The checkpoint is in the trail, so nothing is refused.
      this.options.log.error(
        { err: error, sink: this.options.sink },
        'onCheckpoint failed: this checkpoint is in the trail alone',
      )
    }
  }
}

/** Leaves out records of rotation: a checkpoint of these alone would make the file due for rotation, for ever. */
function isOfTraffic(entry: Entry): boolean {
  return !(entry instanceof OwnEntry)
}
