import { isPlain } from '../json.js'
import { normalKey, readKey, type Secrecy } from './keys.js'
import { cuesOf } from './search/prefilter.js'
import { asKey, IS_NAME, LONGEST_NAME, pathOf, shapeOf } from './shapes.js'

/** How many keys are remembered, and how long they are: those of an API, not those of an attack. */
const REMEMBERED = 4096
const LONGEST = 64

/** What is known of a key. */
interface KnownKey {
  readonly secrecy: Secrecy
  /** It is secret by an option, whatever it is by the built-in words. */
  readonly isOwn: boolean
  readonly forms: readonly string[]
  readonly literal: string | null
  /** What it may be by the members beside it, as bits. */
  readonly shape: number
}

/** The keys that are secret on one server. The same few come in every request, so what they are is remembered. */
export class KeyIndex {
  private readonly own: ReadonlySet<string>
  private readonly keys = new Map<string, KnownKey>()
  /** Values that stand where names do, apart from the keys: a client chooses them. */
  private readonly names = new Map<string, KnownKey>()

  /** `keys` are secret beside those that are built in. */
  constructor(keys: readonly string[]) {
    this.own = new Set(keys.map(normalKey))
  }

  /** `marks` are names in their normal form, which are secret here and now. */
  secrecyOf(key: string, marks: ReadonlySet<string> | null): Secrecy {
    return secrecyIn(this.find(key), marks)
  }

  /** Whether an option or a mark names a key. */
  isNamed(key: string, marks: ReadonlySet<string> | null): boolean {
    const known = this.find(key)
    return known.isOwn || isMarked(known, marks)
  }

  /** `"key":` as JSON has it; null when something of the key is to be redacted, escaped or cut, or may be. */
  literalOf(key: string): string | null {
    return key.length > LONGEST ? null : this.find(key).literal
  }

  /** The same of a key whose value is not secret, neither by it nor by the members beside it, nor by an option. */
  plainLiteralOf(key: string): string | null {
    if (key.length > LONGEST) return null
    const { literal, secrecy, shape } = this.find(key)
    return secrecy === 0 && shape <= IS_NAME ? literal : null
  }

  /** What a key may be by the members beside it, as bits. */
  shapeOf(key: string): number {
    return this.find(key).shape
  }

  /** The key that a value names, when the values of that key are secret. */
  secretName(value: unknown, marks: ReadonlySet<string> | null): string | undefined {
    const name = typeof value === 'string' ? value : pathOf(value)
    if (name === undefined || name.length > LONGEST_NAME) return undefined
    const known = this.names.get(name) ?? this.learn(asKey(name), this.names, name)
    return secrecyIn(known, marks) > 0 ? asKey(name) : undefined
  }

  private find(key: string): KnownKey {
    return this.keys.get(key) ?? this.learn(key, this.keys)
  }

  /** Reads a key, and remembers it as `text`, which is the key or names it. */
  private learn(key: string, memory: Map<string, KnownKey>, text = key): KnownKey {
    if (text.length > LONGEST) return look(key, this.own)
    const known = look(key, this.own)
    if (memory.size === REMEMBERED) memory.clear()
    // A slice would keep alive the whole text that it is of.
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
