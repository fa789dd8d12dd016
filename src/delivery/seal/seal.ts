import type { KeyObject } from 'node:crypto'
import type { Checkpoint, CheckpointFunction } from '../../event/checkpoint.js'
import type { LifecycleDetails } from '../../event/event.js'
import type { AuditSink } from '../../sinks/sink.js'
import type { Entry } from '../entry.js'
import { type CheckpointContext, Checkpoints } from './checkpoints.js'
import { Sealer } from './sealer.js'
import { findStoredEnd, logStoredEnd } from './stored-end.js'

/** The option `seal` of a sink, resolved. */
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

/** Makes the entries that the chain adds to the trail. */
export interface SealEntries {
  introduction(details: LifecycleDetails['seal']): Entry
  checkpoint(details: Checkpoint): Entry
  /** Gives an entry its `seq` and its line; false when it has none and is lost. */
  write(entry: Entry, isOwn: boolean): boolean
}

/** Seals one lane: a chain, and signed checkpoints of it if there is a private key. */
export class Seal {
  private readonly sealer: Sealer
  private readonly checkpoints: Checkpoints | null

  constructor(
    { privateKey, ...settings }: SealSettings,
    private readonly context: CheckpointContext,
  ) {
    this.sealer = new Sealer(settings)
    this.checkpoints = privateKey === undefined ? null : new Checkpoints({ privateKey, ...settings, ...context })
  }

  /** A checkpoint is due. */
  get isDue(): boolean {
    return this.checkpoints?.isDue === true
  }

  /** Nobody knows which line is stored last: nothing can be sealed before `resume`. */
  get isLost(): boolean {
    return this.sealer.isLost
  }

  /** Finds the line that the next one follows: after the boot, and after a batch that is in doubt. */
  async resume(sink: Pick<AuditSink, 'tail'>): Promise<void> {
    const end = await findStoredEnd(sink)
    logStoredEnd(end, this.context.sink, this.context.log)
    this.sealer.resume(end)
  }

  /**
   * Seals a batch, after the entry `seal` or the checkpoint that is due. A checkpoint covers only stored,
   * accounted-for lines; otherwise deleted lines could later be claimed as never stored.
   */
  take(taken: readonly Entry[], entries: SealEntries): Entry[] {
    const { sealer, checkpoints } = this
    if (taken.length === 0 && !this.isDue) return []
    const introduction = sealer.begin((details) =>
      entries.introduction({ sink: this.context.sink, ...details, ...checkpoints?.announced }),
    )
    const batch: Entry[] = []
    const first = introduction ?? (this.isDue ? this.checkpoint(entries) : null)
    if (first !== null && entries.write(first, true)) batch.push(first)
    for (const entry of taken) if (entries.write(entry, false)) batch.push(entry)
    return batch
  }

  /** Seals one line of the batch that is being taken. */
  seal(line: string): string {
    return this.sealer.seal(line)
  }

  /** Takes the fates of a batch. */
  settle(batch: readonly Entry[]): void {
    this.sealer.settle(batch)
    this.checkpoints?.settle(batch)
  }

  /** Makes a checkpoint due as soon as there is an entry to sign for. */
  wantCheckpoint(): void {
    this.checkpoints?.want()
  }

  /** Resolves when the last checkpoint has been kept elsewhere. */
  async handedOut(): Promise<void> {
    await this.checkpoints?.handedOut()
  }

  private checkpoint(entries: SealEntries): Entry | null {
    return this.checkpoints?.make(this.sealer.end, (details) => entries.checkpoint(details)) ?? null
  }
}
