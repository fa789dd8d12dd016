import type { Command } from './command.js'
import type { OptionDefinitions } from './usage.js'

export const PROGRAM = 'npx fastify-audit-log'

const EXIT_CODES =
  'Exits with 0 when something was found and nothing is wrong, with 1 when nothing was found (verify: when something is\n' +
  'wrong with the trail), and with 2 when the command line is wrong, or the answer is not whole: a file could not be read.'

export function helpOf({ name, summary, usage, options, examples }: Command): string {
  return [
    `${PROGRAM} ${name} [OPTION]… ${usage}`,
    '',
    `${capitalised(summary)}.`,
    '',
    'Options:',
    ...optionLines(options),
    '',
    'Examples:',
    ...examples.flatMap(({ what, line }) => [`  ${what}:`, `    ${PROGRAM} ${line}`]),
    '',
    EXIT_CODES,
  ].join('\n')
}

export function generalHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length))
  return [
    `${PROGRAM} COMMAND [OPTION]… PATH…`,
    '',
    'Reads and verifies audit trails. A PATH is an active file, which stands for all of its trail beside it, an archive, or',
    'a directory that they are in. Both formats, json and rancher, are read, and files compressed by gzip or, from Node',
    '22.15 on, zstd, whatever their names.',
    '',
    'Commands:',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'Examples:',
    ...commands.flatMap(({ examples }) => examples.slice(0, 1).map(({ line }) => `  ${PROGRAM} ${line}`)),
    '',
    EXIT_CODES,
    `${PROGRAM} COMMAND --help shows the options and examples of a command, --version this version.`,
  ].join('\n')
}

/** Spells an option: `-n, --lines COUNT`. */
export function spelling(name: string, { short, value }: OptionDefinitions[string]): string {
  return `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`
}

function optionLines(options: OptionDefinitions): string[] {
  const rows = Object.entries(options).map(([name, definition]) => ({
    left: spelling(name, definition),
    right: `${definition.help}${definition.multiple === true ? ' (repeatable)' : ''}`,
  }))
  const width = Math.max(...rows.map(({ left }) => left.length))
  return rows.map(({ left, right }) => `  ${left.padEnd(width)}  ${right}`)
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
