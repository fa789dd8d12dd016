import type { Parsed } from './arguments.js'
import type { Output } from './output.js'
import type { Painter } from './terminal.js'
import type { OptionDefinitions } from './usage.js'

/** Exit codes; they mean what those of `grep` mean. */
export const EXIT = { found: 0, nothing: 1, trouble: 2 } as const

export type Exit = (typeof EXIT)[keyof typeof EXIT]

/** The outputs of a command. */
export interface Io {
  readonly out: Output
  /** Writes a line to standard error; the text may hold any characters. */
  readonly note: (text: string) => void
  readonly paint: Painter
  /** Whether standard output is a terminal, and its width. */
  readonly isTerminal: boolean
  readonly columns: number
  readonly progress: Progress
}

/** Shows progress, on a terminal only. */
export interface Progress {
  start(done: () => { read: number; total: number }): void
  stop(): void
}

export interface Command {
  readonly name: string
  readonly summary: string
  /** The arguments after the options, for the help. */
  readonly usage: string
  readonly options: OptionDefinitions
  readonly examples: readonly { readonly what: string; readonly line: string }[]
  run(parsed: Parsed, io: Io): Promise<Exit>
}
