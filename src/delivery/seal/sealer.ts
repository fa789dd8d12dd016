import { createHmac, hash } from 'node:crypto'
import type { LifecycleDetails } from '../../event/event.js'
import { GENESIS, sealOf } from '../../event/seal-line.js'
import type { Entry } from '../entry.js'

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
  /** The line that was sealed last. */
  head = GENESIS
  /** The `seq` of the line that was stored last, unless that was not this run of the server. */
  storedSeq = 0
  /** The hash of the line that is stored last; null when nobody knows which that is. */
  private stored: string | null = null
  /** How the chain goes on: told in the trail by the entry `seal`, until that is stored. */
  private chain: LifecycleDetails['seal']['chain'] | null = 'unknown'
  /** Lines that are not stored although a line that names them is. */
  private dropped: string[] = []
  private introduction: Entry | null = null

  constructor(private readonly key: SealKey) {}

  /** Nobody knows which line is stored last, so none can follow it. */
  get isLost(): boolean {
    return this.stored === null
  }

  /** Goes on behind the line that is stored last, if one is; `canTell` whether the sink was able to say so. */
  resume(last: string | undefined, canTell: boolean): void {
    const seal = last === undefined ? undefined : sealOf(last)
    this.stored = seal?.hash ?? GENESIS
    if (seal !== undefined) this.chain = 'resumed'
    else if (canTell) this.chain = last === undefined ? 'new' : 'unsealed'
    else this.chain = 'unknown'
  }

  /** Begins a batch, with what must be said of the chain before anything else, made an entry by `write`. */
  begin(write: (details: Pick<LifecycleDetails['seal'], 'chain' | 'algorithm'>) => Entry): Entry | null {
    this.head = this.stored ?? GENESIS
    if (this.chain === null) return null
    const { secret, keyId } = this.key
    const key =
      secret === undefined ? { algorithm: 'sha256' as const } : { algorithm: 'hmac-sha256' as const, key_id: keyId }
    const dropped = this.dropped.length === 0 ? undefined : { dropped: this.dropped }
    this.introduction = write({ chain: this.chain, ...key, ...dropped })
    return this.introduction
  }

  /** A line that is a JSON object, with its place in the chain as its last two members. */
  seal(line: string): string {
    const content = `${line.slice(0, -1)},"prev":"${this.head}"`
    this.head = this.hash(`${content}}`)
    return `${content},"hash":"${this.head}"}`
  }

  /** What became of a batch. */
  settle(batch: readonly Entry[]): void {
    if (this.introduction?.fate === 'stored') {
      this.chain = null
      this.dropped = []
    }
    this.introduction = null
    const last = batch.findLastIndex(({ fate }) => fate === 'stored')
    for (const { line, seq, fate } of batch.slice(0, last + 1)) {
      const hash = sealOf(line)?.hash ?? GENESIS
      if (fate === 'stored') {
        this.stored = hash
        this.storedSeq = seq
      } else this.dropped.push(hash)
    }
    if (this.dropped.length > 0) this.chain ??= 'resumed'
    if (batch.some(({ fate }) => fate === 'in doubt')) this.stored = null
  }

  private hash(text: string): string {
    const { secret } = this.key
    return secret === undefined ? hash('sha256', text) : createHmac('sha256', secret).update(text).digest('hex')
  }
}
