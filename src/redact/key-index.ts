import { isPlain } from '../json.js'
import { normalKey, readKey, type Secrecy } from './keys.js'
import { cuesOf } from './search/prefilter.js'

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
}

/** The keys that are secret on one server. The same few come in every request, so what they are is remembered. */
export class KeyIndex {
  private readonly own: ReadonlySet<string>
  private readonly known = new Map<string, KnownKey>()

  /** `keys` are secret beside those that are built in. */
  constructor(keys: readonly string[]) {
    this.own = new Set(keys.map(normalKey))
  }

  /** `marks` are names in their normal form, which are secret here and now. */
  secrecyOf(key: string, marks: ReadonlySet<string> | null): Secrecy {
    const known = this.find(key)
    return known.secrecy > 0 || !isMarked(known, marks) ? known.secrecy : 1
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

  private find(key: string): KnownKey {
    return this.known.get(key) ?? this.learn(key)
  }

  private learn(key: string): KnownKey {
    if (key.length > LONGEST) return look(key, this.own)
    // A slice would keep alive the whole text that it is of.
    const copy = Buffer.from(key).toString()
    const known = look(copy, this.own)
    if (this.known.size === REMEMBERED) this.known.clear()
    this.known.set(copy, known)
    return known
  }
}

function isMarked({ forms }: KnownKey, marks: ReadonlySet<string> | null): boolean {
  return marks !== null && forms.some((form) => marks.has(form))
}

function look(key: string, own: ReadonlySet<string>): KnownKey {
  const { secrecy, forms } = readKey(key)
  const isOwn = forms.some((form) => own.has(form))
  return {
    secrecy: isOwn && secrecy === 0 ? 1 : secrecy,
    isOwn,
    forms,
    literal: forms.length > 0 && cuesOf(key) === 0 && isPlain(key) ? `"${key}":` : null,
  }
}
