import type { LifecycleDetails } from '../../event/event.js'
import { GENESIS, type LineSeal, sealHash, sealOf } from '../../event/seal-line.js'
import type { Entry } from '../entry.js'
import type { StoredEnd } from './stored-end.js'

type SealDetails = LifecycleDetails['seal']

/** What lines are sealed with. */
export interface SealKey {
  /** Undefined: a plain hash, which anyone can compute. */
  readonly secret: Uint8Array | undefined
  readonly keyId: string
}

/**
 * The chain of one lane. Each line gets the hash of the line before it, and its own, when its batch is formed; a batch
 * that is not stored leaves the chain where it was.
 */
export class Sealer {
  /** The hash of the line that was sealed last. */
  private head = GENESIS
  /** The hash of the line that is stored last; null when nobody knows which that is. */
  private stored: string | null = null
  /** The `seq` of that line; 0 when another run of the server stored it. */
  private storedSeq = 0
  /** How the chain goes on: told in the trail by the entry `seal`, until that is stored. */
  private chain: SealDetails['chain'] | null = 'unknown'
  /** The hash of the newest of the lines without a seal that stand before the next line. */
  private unsealed: string | undefined
  /** Lines that are not stored although a line that names them is. */
  private dropped: LineSeal[] = []
  private introduction: Entry | null = null

  constructor(private readonly key: SealKey) {}

  /** Nobody knows which line is stored last, so none can follow it. */
  get isLost(): boolean {
    return this.stored === null
  }

  /** The line that a checkpoint made now is of. */
  get end(): { readonly seq: number; readonly hash: string } {
    return { seq: this.storedSeq, hash: this.head }
  }

  /** Goes on from the end of what is stored. */
  resume({ chain, hash, unsealed }: StoredEnd): void {
    this.stored = hash
    this.chain = chain
    this.unsealed = unsealed
  }

  /** Begins a batch, with what must be said of the chain before anything else, made an entry by `write`. */
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
