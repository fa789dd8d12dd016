import type { Secrecy } from '../keys.js'
import { IS_NAME, IS_SECRET_DATA, IS_VALUE, mayName } from '../shapes.js'

/** Tells which keys are secret, and which members may be a name or a value. */
export interface NameRules {
  /** Tells how secret a value is by its key. For an object or a list, `value` is undefined. */
  secrecyOf(key: string, value: unknown): Secrecy
  shapeOf(key: string): number
  secretName(name: unknown): string | undefined
}

/** A secret value and its place in the JSON. */
export interface SecretValue {
  start: number
  end: number
  value: unknown
  secrecy: Secrecy
}

/** An object or a list that is being read. Only at its end it is known which values have a name beside them. */
export interface Frame {
  readonly start: number
  /** Takes the key of the next member. */
  name(key: string): void
  /** Tells how secret the next value is by its key. */
  secrecyOf(value: unknown): Secrecy
  /** Takes the next value, which is not secret by its key; `undefined` for an object or a long list. */
  add(start: number, end: number, value: unknown): void
  /** Skips the next value, which was redacted. */
  pass(): void
  /** Returns the values that are secret by a name beside them. */
  secrets(): SecretValue[]
  /** Returns the value as a name: a list may be the steps of a path. */
  asValue(): readonly unknown[] | undefined
}

/** The number of steps that a path may have. */
const MOST_STEPS = 32

interface Candidate {
  start: number
  end: number
  value: unknown
  shape: number
}

export class ObjectFrame implements Frame {
  private key = ''
  private secretName: string | undefined
  private isSecretKind = false
  private candidates: Candidate[] | undefined

  constructor(
    private readonly rules: NameRules,
    readonly start: number,
  ) {}

  name(key: string): void {
    this.key = key
  }

  secrecyOf(value: unknown): Secrecy {
    return this.rules.secrecyOf(this.key, value)
  }

  add(start: number, end: number, value: unknown): void {
    const shape = this.rules.shapeOf(this.key)
    if ((shape & IS_NAME) !== 0) this.secretName ??= this.rules.secretName(value)
    else if (shape > IS_NAME) {
      this.candidates ??= []
      this.candidates.push({ start, end, value, shape })
    } else if (value === 'Secret' && this.key === 'kind') this.isSecretKind = true
  }

  pass(): void {}

  secrets(): SecretValue[] {
    const { candidates = [], secretName, isSecretKind, rules } = this
    return candidates.flatMap(({ start, end, value, shape }) => {
      const isSecretData = isSecretKind && (shape & IS_SECRET_DATA) !== 0
      const byName = secretName !== undefined && (shape & IS_VALUE) !== 0 ? rules.secrecyOf(secretName, value) : 0
      const secrecy = isSecretData ? 2 : byName
      return secrecy > 0 ? [{ start, end, value: value ?? null, secrecy }] : []
    })
  }

  asValue(): undefined {
    return undefined
  }
}

export class ListFrame implements Frame {
  private length = 0
  private readonly steps: unknown[] = []
  /** The name of the next value. `isPair`: it is one only if the list consists of pairs. */
  private named: { key: string; isPair: boolean } | undefined
  private readonly found: Array<SecretValue & { isPair: boolean }> = []

  constructor(
    private readonly rules: NameRules,
    readonly start: number,
  ) {}

  name(): void {}

  secrecyOf(): Secrecy {
    return 0
  }

  add(start: number, end: number, value: unknown): void {
    const { named, rules, length, steps } = this
    this.pass()
    if (steps.length <= MOST_STEPS) steps.push(value)
    const secrecy = named === undefined ? 0 : rules.secrecyOf(named.key, value)
    if (named !== undefined && secrecy > 0) {
      this.found.push({ start, end, value: value ?? null, secrecy, isPair: named.isPair })
      if (!named.isPair) return
    }
    // The length of the list is not known yet, so it is taken for a list of pairs.
    if (typeof value !== 'string' || !mayName(value, length, 0)) return
    const key = rules.secretName(value)
    if (key !== undefined) this.named = { key, isPair: !mayName(value, 1, 1) }
  }

  pass(): void {
    this.length++
    this.named = undefined
  }

  secrets(): SecretValue[] {
    return this.found.filter(({ isPair }) => !isPair || this.length % 2 === 0)
  }

  asValue(): readonly unknown[] | undefined {
    return this.steps.length > MOST_STEPS ? undefined : this.steps
  }
}
