/** An option of a command; one without `value` is a flag. */
export interface OptionDefinition {
  /** The name of its value, in capitals. */
  readonly value?: string
  readonly short?: string
  /** It may be given several times. */
  readonly multiple?: true
  readonly help: string
}

export type OptionDefinitions = Readonly<Record<string, OptionDefinition>>

/** The command line is wrong; the message says what to write. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
