/** One option of a command; without a value it is a flag. */
export interface OptionDefinition {
  /** What it takes, in capitals. */
  readonly value?: string
  readonly short?: string
  /** It may be given several times. */
  readonly multiple?: true
  readonly help: string
}

export type OptionDefinitions = Readonly<Record<string, OptionDefinition>>

/** The command line does not mean anything; the message says what to write. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
