import type { KeyObject } from 'node:crypto'
import { channel } from 'node:diagnostics_channel'
import { type Clock, toIsoTime } from '../../clock.js'
import { type Checkpoint, type CheckpointFunction, keyIdOf, signCheckpoint } from '../../event/checkpoint.js'
import type { SinkLogger } from '../../logger.js'
import { type Entry, OwnEntry } from '../entry.js'

/** Checkpoints are published here as well, for whoever watches all servers of a process. */
const CHANNEL = channel('fastify-audit-log:checkpoint')

/** What a lane tells of itself. */
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
  /** After how many entries one is made. */
  readonly checkpointEvery: number
  /** How long an entry may wait for one, in milliseconds; 0: until there are enough. */
  readonly checkpointInterval: number
  readonly onCheckpoint: CheckpointFunction | undefined
}

/** Makes the checkpoints of one chain, and hands out those that are stored. */
export class Checkpoints {
  /** What the trail says of whose they are. */
  readonly announced: { readonly signing_key: string }
  /** One is due however few entries there are: the file was rotated, or the server closes. */
  private isWanted = false
  /** Entries behind the last checkpoint, and since when there are any. */
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

  /** What became of a batch. */
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

  /** Resolves when the last checkpoint has been taken by whoever is handed them. */
  handedOut(): Promise<void> {
    return this.handing
  }

  private async handOut(checkpoint: Checkpoint): Promise<void> {
    CHANNEL.publish(checkpoint)
    try {
      await this.options.onCheckpoint?.(checkpoint)
    } catch (error) {
      // It is in the trail; that it could not be kept elsewhere is no reason to refuse anything.
      this.options.log.error(
        { err: error, sink: this.options.sink },
        'onCheckpoint failed: this checkpoint is in the trail alone',
      )
    }
  }
}

/** A checkpoint of rotations alone would make a file worth rotating, for ever. */
function isOfTraffic(entry: Entry): boolean {
  return !(entry instanceof OwnEntry)
}
