import {
  completeLine,
  correctionLine,
  endLine,
  eventLine,
  gapLine,
  idOf,
  inRancher,
  type Made,
  type MadeAction,
  rancherLinesOf,
  receivedLine,
  timeOf,
  workCorrectionLine,
  workLines,
} from './made.js'

/** The next step in a trail that a test makes up. */
export type Happening =
  | { kind: 'request'; endsAfter: number | undefined; correction: number | undefined; runsOn: boolean }
  | { kind: 'work'; endsAfter: number | undefined; isCorrected: boolean }
  | { kind: 'event' }
  | { kind: 'gap'; lost: number }
  | { kind: 'restart' }
  | { kind: 'jump'; seconds: number }

/** The lines of a trail, numbered as a server numbers them. */
export function numberedLines(happenings: readonly Happening[], format: 'json' | 'rancher' = 'json'): string[] {
  const trail = new Trail(format)
  for (const happening of happenings) trail.take(happening)
  return trail.lines
}

class Trail {
  readonly lines: string[] = []
  private clock = 0
  private instance = 0
  private seq = 0
  private exchanges = 0
  private pending: Array<{ after: number; line: string }> = []

  constructor(private readonly format: 'json' | 'rancher') {}

  take(happening: Happening): void {
    this.clock++
    if (happening.kind === 'jump') this.clock += happening.seconds
    else if (happening.kind === 'restart') this.restart()
    else if (happening.kind === 'gap') this.gap(happening.lost)
    else if (happening.kind === 'request') this.request(happening)
    else if (happening.kind === 'work') this.work(happening)
    else this.begin(this.inFormat([eventLine(this.madeAction())]), 0)
    const due = this.pending.filter(({ after }) => after <= 0)
    this.pending = this.pending.filter(({ after }) => after > 0)
    for (const { line } of due) this.push(line)
    for (const one of this.pending) one.after--
  }

  private request({ endsAfter, correction, runsOn }: Extract<Happening, { kind: 'request' }>): void {
    const made: Made = { id: idOf(this.exchanges++), received: this.clock, status: 200, endpoint: `/${this.exchanges}` }
    if (endsAfter !== undefined) made.completed = this.clock + endsAfter + 1
    if (correction !== undefined) made.correction = { status_code: correction }
    const lines = this.format === 'json' ? jsonLinesOf(made) : rancherLinesOf(made)
    if (runsOn) lines.push(...this.inFormat([endLine(made.id, this.clock)]))
    this.begin(lines, endsAfter)
  }

  private work({ endsAfter, isCorrected }: Extract<Happening, { kind: 'work' }>): void {
    const made = this.madeAction()
    if (endsAfter !== undefined) made.ended = this.clock + endsAfter + 1
    const correction = isCorrected ? [workCorrectionLine(made.id, 'withheld')] : []
    this.begin(this.inFormat([...workLines(made), ...correction]), endsAfter)
  }

  private madeAction(): MadeAction {
    return { id: idOf(this.exchanges++), at: this.clock }
  }

  private inFormat(lines: readonly string[]): string[] {
    return this.format === 'json' ? [...lines] : inRancher(lines)
  }

  /** Writes the first line now, and the others later. */
  private begin([first = '', ...later]: readonly string[], endsAfter: number | undefined): void {
    this.push(first)
    this.pending.push(...later.map((line, index) => ({ after: (endsAfter ?? 0) + index, line })))
  }

  private gap(lost: number): void {
    if (this.format === 'rancher') return
    this.seq += lost
    this.push(gapLine(lost, 0))
  }

  /** Starts a new run. Open requests stay open. */
  private restart(): void {
    this.pending = []
    this.instance++
    this.seq = 0
  }

  private push(line: string): void {
    const time = timeOf(++this.clock)
    const { payload, ...rancher } = JSON.parse(line)
    const numbers = { created_at: time, event_type: 'audit', instance: `run-${this.instance}`, seq: ++this.seq }
    const stageTimestamp = `${time.slice(0, 10)} ${time.slice(11, 19)} +0000`
    this.lines.push(JSON.stringify(this.format === 'json' ? { ...numbers, payload } : { ...rancher, stageTimestamp }))
  }
}

function jsonLinesOf(made: Made): string[] {
  return [
    receivedLine(made),
    ...(made.completed === undefined ? [] : [completeLine(made)]),
    ...(made.correction === undefined ? [] : [correctionLine(made)]),
  ]
}
