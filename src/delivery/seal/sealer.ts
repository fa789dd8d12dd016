import type { LifecycleDetails } from '../../event/event.js'
import { GENESIS, type LineSeal, sealHash, sealOf } from '../../event/seal-line.js'
import type { Entry } from '../entry.js'
import type { StoredEnd } from './stored-end.js'

type SealDetails = LifecycleDetails['seal']

/** The secret of a chain. */
export interface SealKey {
  /** Undefined: a plain hash, which anyone can compute. */
  readonly secret: Uint8Array | undefined
  readonly keyId: string
}

/**
 * Makes the chain of one lane. Each line gets the hash of the line before it, and its own, when its batch is formed. A
 * batch that is not stored leaves the chain where it was.
 */
export class Sealer {
  /** The hash of the line that was sealed last. */
  private head = GENESIS
  /** The hash of the last stored line; null when that line is not known. */
  private stored: string | null = null
  /** The `seq` of that line; 0 if another run of the server stored it. */
  private storedSeq = 0
  /** The `chain` for the next entry `seal`; null after that entry was stored. */
  private chain: SealDetails['chain'] | null = 'unknown'
  /** The hash of the newest of the lines without a seal that stand before the next line. */
  private unsealed: string | undefined
  /** Lines that are not stored, although a stored line follows them. */
  private dropped: LineSeal[] = []
  private introduction: Entry | null = null

  constructor(private readonly key: SealKey) {}

  /** The last stored line is not known, so no line can follow it. */
  get isLost(): boolean {
    return this.stored === null
  }

  /** The line that a checkpoint made now signs. */
  get end(): { readonly seq: number; readonly hash: string } {
    return { seq: this.storedSeq, hash: this.head }
  }

  /** Goes on from the end of what is stored. */
  resume({ chain, hash, unsealed }: StoredEnd): void {
    this.stored = hash
    this.chain = chain
    this.unsealed = unsealed
  }

  /** Begins a batch. Returns the entry `seal`, made by `write`, if one must come first. */
  begin(write: (details: Omit<SealDetails, 'sink' | 'signing_key'>) => Entry): Entry | null {
    this.head = this.stored ?? GENESIS
    const { chain, unsealed, dropped } = this
    if (chain === null) return null
    const { secret, keyId } = this.key
    this.introduction = write({
      chain,
      ...(secret === undefined ? { algorithm: 'sha256' } : { algorithm: 'hmac-sha256', key_id: keyId }),
      ...(unsealed === undefined ? {} : { unsealed }),
      ...(dropped.length === 0 ? {} : { dropped }),
    })
    return this.introduction
  }

  /** Gives a line that is a JSON object its place in the chain, as its last two members. */
  seal(line: string): string {
    const content = `${line.slice(0, -1)},"prev":"${this.head}"`
    this.head = sealHash(`${content}}`, this.key.secret)
    return `${content},"hash":"${this.head}"}`
  }

  /** Takes the fates of a batch. */
  settle(batch: readonly Entry[]): void {
    if (this.introduction?.fate === 'stored') {
      this.chain = null
      this.unsealed = undefined
      this.dropped = []
    }
    this.introduction = null
    const last = batch.findLastIndex(({ fate }) => fate === 'stored')
    for (const { line, seq, fate } of batch.slice(0, last + 1)) {
      const seal = sealOf(line)
      if (seal === undefined) continue
      if (fate === 'stored') {
        this.stored = seal.hash
        this.storedSeq = seq
      } else this.dropped.push(seal)
    }
    if (this.dropped.length > 0) this.chain ??= 'resumed'
    if (batch.some(({ fate }) => fate === 'in doubt')) this.stored = null
  }
}
