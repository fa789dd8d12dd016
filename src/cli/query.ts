import { readTrail } from '../reader/read-trail.js'
import type { Parsed } from './arguments.js'
import { type Command, EXIT, type Exit, type Io } from './command.js'
import { ACCESS_OPTION, FILTER_OPTIONS, HELP_OPTION, pathsOf, queryOf } from './options.js'
import { readAll } from './read-all.js'
import { FORMAT_OPTION, writerOf } from './writers.js'

export const query: Command = {
  name: 'query',
  summary: 'finds requests and actions in a trail, with what came of them',
  usage: 'PATH…',
  options: {
    ...FILTER_OPTIONS,
    open: { help: 'only what was received, or begun, and never completed' },
    ...FORMAT_OPTION,
    ...ACCESS_OPTION,
    ...HELP_OPTION,
  },
  examples: [
    { what: 'What was denied in the last two hours', line: 'query --since 2h --status 401 --status 403 data/audit' },
    {
      what: 'Everything that Bob deleted, for a spreadsheet',
      line: 'query --actor Bob --operation DELETE --format csv data/audit',
    },
    {
      what: 'Who did what to invoice 42, and what it changed',
      line: 'query --target invoice:42 --format json data/audit',
    },
    { what: 'What came of one request', line: 'query --id 8b826146 data/audit/audit.log' },
    { what: 'What never had an outcome', line: 'query --open data/audit' },
  ],
  run,
}

async function run(parsed: Parsed, io: Io): Promise<Exit> {
  const trail = readTrail(pathsOf(parsed), queryOf(parsed))
  const { header, row } = writerOf(parsed, io)
  if (header !== undefined) await io.out.line(header)
  const isWhole = await readAll(trail, io, (exchange) => io.out.line(row(exchange)))
  if (!isWhole) return EXIT.trouble
  return trail.counts.exchanges > 0 ? EXIT.found : EXIT.nothing
}
