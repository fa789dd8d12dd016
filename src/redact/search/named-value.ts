import type { Secrecy } from '../keys.js'
import { IS_NAME, IS_VALUE } from '../shapes.js'

/** Tells which keys are a name or a value, and which names are secret. */
export interface NamedRules {
  secrecyOf(key: string): Secrecy
  shapeOf(key: string): number
  secretName(name: unknown): string | undefined
}

/** A value farther from its name belongs to something else. */
const FARTHEST = 200

/** A name after its key and separator, without its quotes. */
const NAME = /\s{0,32}\\{0,31}["']?([^\s"',;&{}[\]\\]{1,256})/y

/** A name in running text whose value may come next: `- name: DB_PASSWORD` before `value: x`. */
export class NamedValue {
  /** The start of the last name, if there is one. */
  private start = -1

  constructor(
    private readonly text: string,
    private readonly rules: NamedRules,
  ) {}

  /** Takes note of a key that is not secret; `index` is after its separator. */
  note(key: string, index: number): void {
    if ((this.rules.shapeOf(key) & IS_NAME) !== 0) this.start = index
  }

  /** The secrecy of a key's value by the name before it. Each name is used once. */
  secrecyOf(key: string, index: number): Secrecy {
    const { start, rules } = this
    if (start === -1 || index - start > FARTHEST || (rules.shapeOf(key) & IS_VALUE) === 0) return 0
    NAME.lastIndex = start
    const name = rules.secretName(NAME.exec(this.text)?.[1])
    return name === undefined ? 0 : rules.secrecyOf(name)
  }
}
