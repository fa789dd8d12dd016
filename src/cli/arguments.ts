import { parseArgs } from 'node:util'
import { closest } from '../options/suggest.js'
import { type OptionDefinitions, UsageError } from './usage.js'

/** A command line, split into paths and options. */
export interface Parsed {
  /** The arguments that are not options, as written. */
  readonly paths: readonly string[]
  /** The values of each option that was given; a flag has none. */
  readonly values: ReadonlyMap<string, readonly string[]>
}

/**
 * Parses a command line; unknown options are errors.
 *
 * @throws {UsageError} that says what to write instead.
 */
export function parseArguments(args: readonly string[], definitions: OptionDefinitions): Parsed {
  const options = Object.fromEntries(
    Object.entries(definitions).map(([name, { value, short }]) => [
      name,
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        ...(short === undefined ? {} : { short }),
      },
    ]),
  )
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true })
  const values = new Map<string, string[]>()
  const paths: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') paths.push(token.value)
    else if (token.kind === 'option') takeOption(token, definitions, values)
  }
  return { paths, values }
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value: string | undefined
  readonly inlineValue: boolean | undefined
}

function takeOption(token: OptionToken, definitions: OptionDefinitions, values: Map<string, string[]>): void {
  const { name, rawName, value, inlineValue } = token
  const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined
  if (definition === undefined) throw new UsageError(unknownOption(rawName, name, Object.keys(definitions)))
  const given = values.get(name)
  if (definition.value === undefined) {
    if (inlineValue === true) throw new UsageError(`${rawName} takes no value`)
    values.set(name, [])
    return
  }
  // If a value was forgotten, the next option must not be taken for it.
  if (value === undefined || (inlineValue !== true && value.startsWith('-'))) {
    throw new UsageError(`${rawName} needs a value: ${rawName} ${definition.value}`)
  }
  if (given !== undefined && definition.multiple !== true) throw new UsageError(`${rawName} is given twice`)
  values.set(name, [...(given ?? []), value])
}

function unknownOption(rawName: string, name: string, known: readonly string[]): string {
  const meant = closest(name, known)
  return `there is no option ${rawName}${meant === undefined ? '' : `; did you mean --${meant}?`}`
}

/** The value of an option that may be given once. */
export function optionValue({ values }: Parsed, name: string): string | undefined {
  return values.get(name)?.[0]
}

/**
 * The value of an option that must be one of `choices`.
 *
 * @throws {UsageError} for any other.
 */
export function choiceOf<Choice extends string>(
  parsed: Parsed,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const value = optionValue(parsed, name)
  if (value === undefined) return undefined
  const choice = choices.find((known) => known === value)
  if (choice === undefined) throw new UsageError(`--${name} is ${value}; write ${choices.join(', ')}`)
  return choice
}
