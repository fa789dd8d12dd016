#!/usr/bin/env node
import { packageVersion } from '../event/package-version.js'
import { closest } from '../options/suggest.js'
import { recordAccess } from './access.js'
import { optionValue, parseArguments } from './arguments.js'
import { type Command, EXIT, type Exit, type Io } from './command.js'
import { generalHelp, helpOf, PROGRAM } from './help.js'
import { isGone, Output, ReaderGone } from './output.js'
import { ProgressLine } from './progress.js'
import { query } from './query.js'
import { stats } from './stats.js'
import { tail } from './tail.js'
import { painter, printable } from './terminal.js'
import { UsageError } from './usage.js'
import { verify } from './verify.js'

const COMMANDS: readonly Command[] = [query, tail, stats, verify]
/** The longest message that is printed; it may repeat the command line. */
const MAX_ECHO = 2000
const COLUMNS = 80

/** Prints a message on one line of standard error; its text may come from anywhere. */
function note(text: string): void {
  process.stderr.write(`fastify-audit-log: ${printable(text.slice(0, MAX_ECHO))}\n`)
}

function ioOf(): Io {
  const { stdout, stderr } = process
  const progress = new ProgressLine(stderr)
  const isTerminal = stdout.isTTY === true
  return {
    out: new Output(stdout, isTerminal, progress.clear),
    note,
    paint: painter(isTerminal, process.env),
    isTerminal,
    // A terminal that does not know its width says 0.
    columns: stdout.columns || COLUMNS,
    progress,
  }
}

async function main([name = '', ...args]: readonly string[], io: Io): Promise<Exit> {
  if (['--help', '-h', 'help'].includes(name)) return print(io, generalHelp(COMMANDS))
  if (name === '--version') return print(io, packageVersion())
  const command = COMMANDS.find((known) => known.name === name)
  if (command === undefined) throw new UsageError(unknownCommand(name))
  const parsed = parseArguments(args, command.options)
  if (parsed.values.has('help')) return print(io, helpOf(command))
  const file = optionValue(parsed, 'record-access')
  if (file !== undefined) await recordAccess(file, { command: name, args, paths: parsed.paths })
  return command.run(parsed, io)
}

function unknownCommand(name: string): string {
  const names = COMMANDS.map((command) => command.name)
  if (name === '') return `write a command: ${names.join(', ')}`
  const meant = closest(name, names)
  return `there is no command ${name}; ${meant === undefined ? `write ${names.join(', ')}` : `did you mean ${meant}?`}`
}

async function print(io: Io, text: string): Promise<Exit> {
  await io.out.line(text)
  await io.out.flush()
  return EXIT.found
}

/** Prints an error; only an unexpected one with its stack. */
function fail(error: unknown): Exit {
  if (error instanceof ReaderGone) return EXIT.found
  if (error instanceof UsageError) note(`${error.message} (${PROGRAM} --help shows what there is)`)
  else if (error instanceof Error && 'code' in error) note(error.message)
  // Node itself would exit with 1, which means that nothing was found.
  else for (const line of stackOf(error).split('\n')) note(line)
  return EXIT.trouble
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

process.stderr.on('error', (error) => {
  // Nobody reads standard error any more.
  if (!isGone(error)) throw error
})
process.exitCode = await main(process.argv.slice(2), ioOf()).catch(fail)
