import { isPlain } from '../json.js'
import { normalKey, readKey, type Secrecy } from './keys.js'
import { cuesOf } from './search/prefilter.js'
import { asKey, IS_NAME, LONGEST_NAME, pathOf, shapeOf } from './shapes.js'

/** The number and the length of the keys that are remembered: enough for an API, and a bound under attack. */
const REMEMBERED = 4096
const LONGEST = 64

/** The result of reading a key. */
interface KnownKey {
  readonly secrecy: Secrecy
  /** True if the option `redact.keys` names it. */
  readonly isOwn: boolean
  readonly forms: readonly string[]
  readonly literal: string | null
  /** Its parts in the shapes of shapes.ts, as bits. */
  readonly shape: number
}

/** Tells which keys are secret on one server. The same few come in every request, so results are cached. */
export class KeyIndex {
  private readonly own: ReadonlySet<string>
  private readonly keys = new Map<string, KnownKey>()
  /** Names that are values. They have a cache of their own, because clients choose them more freely than keys. */
  private readonly names = new Map<string, KnownKey>()

  /** `keys` are secret in addition to the built-in words. */
  constructor(keys: readonly string[]) {
    this.own = new Set(keys.map(normalKey))
  }

  /** Tells how secret the value of a key is. `marks` are further secret names, in their normal form. */
  secrecyOf(key: string, marks: ReadonlySet<string> | null): Secrecy {
    return secrecyIn(this.find(key), marks)
  }

  /** Tells whether an option or a mark names a key. */
  isNamed(key: string, marks: ReadonlySet<string> | null): boolean {
    const known = this.find(key)
    return known.isOwn || isMarked(known, marks)
  }

  /** Returns `"key":` as JSON; null if something in the key may have to be redacted, escaped or cut. */
  literalOf(key: string): string | null {
    return key.length > LONGEST ? null : this.find(key).literal
  }

  /** The same, and null if its value may be secret by the key, by an option or by a member beside it. */
  plainLiteralOf(key: string): string | null {
    if (key.length > LONGEST) return null
    const { literal, secrecy, shape } = this.find(key)
    return secrecy === 0 && shape <= IS_NAME ? literal : null
  }

  /** Returns a key's parts in the shapes of shapes.ts, as bits. */
  shapeOf(key: string): number {
    return this.find(key).shape
  }

  /** Returns the key that a value names, if values of that key are secret. */
  secretName(value: unknown, marks: ReadonlySet<string> | null): string | undefined {
    const name = typeof value === 'string' ? value : pathOf(value)
    if (name === undefined || name.length > LONGEST_NAME) return undefined
    const known = this.names.get(name) ?? this.learn(asKey(name), this.names, name)
    return secrecyIn(known, marks) > 0 ? asKey(name) : undefined
  }

  private find(key: string): KnownKey {
    return this.keys.get(key) ?? this.learn(key, this.keys)
  }

  /** Reads a key and caches the result under `text`, which is the key or a name of it. */
  private learn(key: string, memory: Map<string, KnownKey>, text = key): KnownKey {
    if (text.length > LONGEST) return look(key, this.own)
    const known = look(key, this.own)
    if (memory.size === REMEMBERED) memory.clear()
    // A slice would keep the whole text that it was cut from in memory.
    memory.set(Buffer.from(text).toString(), known)
    return known
  }
}

function secrecyIn(known: KnownKey, marks: ReadonlySet<string> | null): Secrecy {
  return known.secrecy > 0 || !isMarked(known, marks) ? known.secrecy : 1
}

function isMarked({ forms }: KnownKey, marks: ReadonlySet<string> | null): boolean {
  return marks !== null && forms.some((form) => marks.has(form))
}

function look(key: string, own: ReadonlySet<string>): KnownKey {
  const { secrecy, forms } = readKey(key)
  const isOwn = forms.some((form) => own.has(form))
  const [normalForm = ''] = forms
  return {
    shape: shapeOf(normalForm),
    secrecy: isOwn && secrecy === 0 ? 1 : secrecy,
    isOwn,
    forms,
    literal: forms.length > 0 && cuesOf(key) === 0 && isPlain(key) ? `"${key}":` : null,
  }
}
