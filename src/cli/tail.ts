import { monotonicNow, sleep } from '../clock.js'
import { Follower } from '../reader/follow.js'
import { HeldFollowUps, withFollowUp } from '../reader/follow-ups.js'
import { linesIn } from '../reader/lines.js'
import { Pairs } from '../reader/pairing.js'
import { type CompiledQuery, compileQuery } from '../reader/query.js'
import { isStaged, parseRecord } from '../reader/record.js'
import type { FollowUp, TrailExchange, TrailRecord } from '../reader/trail-exchange.js'
import { optionValue, type Parsed } from './arguments.js'
import type { Command, Exit, Io } from './command.js'
import { ACCESS_OPTION, FILTER_OPTIONS, HELP_OPTION, hasFilters, pathsOf, queryOf } from './options.js'
import { UsageError } from './usage.js'
import { FORMAT_OPTION, type Writer, writerOf } from './writers.js'

const INTERVAL = 200
const LINES = 10
const MAX_LINES = 10_000
/** The bytes that are read first, and by what they are multiplied until there are enough rows. */
const WINDOW = 1024 * 1024
const FACTOR = 8
/** The number of exchanges that are remembered for a later correction or end. */
const RECENT = 1000

export const tail: Command = {
  name: 'tail',
  summary: 'shows the end of a trail and follows it, across rotations',
  usage: 'PATH',
  options: {
    lines: {
      short: 'n',
      value: 'COUNT',
      help: `begins with the last COUNT requests of the active file; ${LINES} by default`,
    },
    ...FILTER_OPTIONS,
    ...FORMAT_OPTION,
    ...ACCESS_OPTION,
    ...HELP_OPTION,
  },
  examples: [
    { what: 'What happens now', line: 'tail data/audit/audit.log' },
    {
      what: 'What fails from now on, for another program',
      line: 'tail -n 0 --status 5xx data/audit/audit.log | jq .request',
    },
  ],
  run,
}

async function run(parsed: Parsed, io: Io): Promise<Exit> {
  const [path = '', ...more] = pathsOf(parsed)
  if (more.length > 0) throw new UsageError('tail follows one file; name the active one')
  const count = countOf(optionValue(parsed, 'lines'))
  const query = compileQuery(queryOf(parsed), Date.now())
  const view = new View(writerOf(parsed, io), query, hasFilters(parsed))
  const follower = await Follower.open(path, monotonicNow)
  try {
    if (view.header !== undefined) await io.out.line(view.header)
    await begin(follower, view, count, io)
    for (;;) {
      for await (const part of follower.poll()) for (const row of view.rowsOf(part)) await io.out.line(row)
      await io.out.flush()
      if (view.foreign > 0) io.note(`${view.foreign} lines skipped: not a record of either format`)
      view.foreign = 0
      await sleep(INTERVAL)
    }
  } finally {
    await follower.close()
  }
}

function countOf(text: string | undefined): number {
  if (text === undefined) return LINES
  const count = Number(text)
  if (!/^\d+$/.test(text) || count > MAX_LINES)
    throw new UsageError(`--lines is ${text}; write a number up to ${MAX_LINES}`)
  return count
}

/** Shows the last `count` rows of the file, or all if there are fewer. */
async function begin(follower: Follower, view: View, count: number, io: Io): Promise<void> {
  const size = await follower.size()
  if (count === 0) return follower.seek(size)
  for (let window = WINDOW; ; window *= FACTOR) {
    const from = Math.max(0, size - window)
    await follower.seek(from)
    view.forget()
    const rows: string[] = []
    for await (const part of follower.poll()) {
      rows.push(...view.rowsOf(part))
      rows.splice(0, rows.length - count)
    }
    if (rows.length < count && from > 0) continue
    for (const row of rows) await io.out.line(row)
    return io.out.flush()
  }
}

/** Makes rows of lines: one for each outcome, and one for each later correction and end. */
class View {
  foreign = 0
  private readonly query: CompiledQuery
  private readonly recent = new Map<string, TrailExchange>()
  private pairs: Pairs

  constructor(
    private readonly writer: Writer,
    query: CompiledQuery,
    private readonly isFiltered: boolean,
  ) {
    // An open request may complete at any moment.
    this.query = { ...query, takesOpen: false }
    this.pairs = new Pairs(this.query, new HeldFollowUps())
  }

  get header(): string | undefined {
    return this.writer.header
  }

  forget(): void {
    this.foreign = 0
    this.recent.clear()
    this.pairs = new Pairs(this.query, new HeldFollowUps())
  }

  rowsOf(part: Buffer): string[] {
    const rows: string[] = []
    for (const line of linesIn(part)) {
      const record = parseRecord(line.toString())
      if (record === undefined) this.foreign++
      else this.take(record, line.length, (row) => rows.push(row))
    }
    return rows
  }

  private take(record: TrailRecord, bytes: number, show: (row: string) => void): void {
    if (record.kind === 'correction' || record.kind === 'end') this.follow(record, show)
    else if (isStaged(record)) this.pairs.add(record, bytes, (exchange) => this.showExchange(exchange, show))
    // Gaps are shown with any filter: what is looked for may be missing.
    else if (!this.isFiltered || record.type === 'gap') {
      const row = this.writer.note(record.time, record.type, record.details)
      if (row !== undefined) show(row)
    }
  }

  private showExchange(exchange: TrailExchange, show: (row: string) => void): void {
    this.remember(exchange)
    show(this.writer.row(exchange))
  }

  private remember(exchange: TrailExchange): void {
    this.recent.set(exchange.id, exchange)
    for (const oldest of this.recent.keys()) {
      if (this.recent.size <= RECENT) break
      this.recent.delete(oldest)
    }
  }

  private follow(followUp: FollowUp, show: (row: string) => void): void {
    const { id, time } = followUp
    const known = this.recent.get(id)
    const exchange = withFollowUp(known ?? { id, timestamp: time }, followUp)
    if (known !== undefined) this.remember(exchange)
    // Show a row that was shown before again, even if it no longer matches.
    if (known !== undefined || this.query.matches(exchange)) show(this.writer.row(exchange))
  }
}
