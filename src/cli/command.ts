import type { Parsed } from './arguments.js'
import type { Output } from './output.js'
import type { Painter } from './terminal.js'
import type { OptionDefinitions } from './usage.js'

/** How a command ends, as `grep` does. */
export const EXIT = { found: 0, nothing: 1, trouble: 2 } as const

export type Exit = (typeof EXIT)[keyof typeof EXIT]

/** What a command writes to. */
export interface Io {
  readonly out: Output
  /** Writes a line for people, which may hold anything, to standard error. */
  readonly note: (text: string) => void
  readonly paint: Painter
  /** Standard output is a terminal, with so many columns. */
  readonly isTerminal: boolean
  readonly columns: number
  readonly progress: Progress
}

/** Shows how far long work has come, to people alone. */
export interface Progress {
  start(done: () => { read: number; total: number }): void
  stop(): void
}

export interface Command {
  readonly name: string
  readonly summary: string
  /** What follows the name. */
  readonly usage: string
  readonly options: OptionDefinitions
  readonly examples: readonly { readonly what: string; readonly line: string }[]
  run(parsed: Parsed, io: Io): Promise<Exit>
}
