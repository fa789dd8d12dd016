import type { Secrecy } from '../keys.js'
import { IS_NAME, IS_VALUE } from '../shapes.js'

/** Which keys are a name or a value, and which names are secret. */
export interface NamedRules {
  secrecyOf(key: string): Secrecy
  shapeOf(key: string): number
  secretName(name: unknown): string | undefined
}

/** A value farther after its name belongs to something else. */
const FARTHEST = 200

/** A name after its key and separator, without its quotes. */
const NAME = /\s{0,32}\\{0,31}["']?([^\s"',;&{}[\]\\]{1,256})/y

/** A name in running text whose value may come next: `- name: DB_PASSWORD` before `value: x`. */
export class NamedValue {
  private name: string | undefined
  private end = 0

  constructor(private readonly rules: NamedRules) {}

  /** Reads what a key that is not secret may name; `index` is after its separator. */
  read(text: string, key: string, index: number): void {
    if ((this.rules.shapeOf(key) & IS_NAME) === 0) return
    NAME.lastIndex = index
    this.name = this.rules.secretName(NAME.exec(text)?.[1])
    this.end = index
  }

  /** How secret the value of a key is by the name before it. */
  secrecyOf(key: string, index: number): Secrecy {
    const { name, rules } = this
    if (name === undefined || index - this.end > FARTHEST || (rules.shapeOf(key) & IS_VALUE) === 0) return 0
    return rules.secrecyOf(name)
  }
}
