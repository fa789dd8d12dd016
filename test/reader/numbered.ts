import { completeLine, correctionLine, gapLine, idOf, type Made, rancherLinesOf, receivedLine, timeOf } from './made.js'

/** The next step in a trail that a test makes up. */
export type Happening =
  | { kind: 'request'; endsAfter: number | undefined; correction: number | undefined }
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
  private requests = 0
  private pending: Array<{ after: number; line: string }> = []

  constructor(private readonly format: 'json' | 'rancher') {}

  take(happening: Happening): void {
    this.clock++
    if (happening.kind === 'jump') this.clock += happening.seconds
    else if (happening.kind === 'restart') this.restart()
    else if (happening.kind === 'gap') this.gap(happening.lost)
    else this.request(happening)
    const due = this.pending.filter(({ after }) => after <= 0)
    this.pending = this.pending.filter(({ after }) => after > 0)
    for (const { line } of due) this.push(line)
    for (const one of this.pending) one.after--
  }

  private request({ endsAfter, correction }: Extract<Happening, { kind: 'request' }>): void {
    const made: Made = { id: idOf(this.requests++), received: this.clock, status: 200, endpoint: `/${this.requests}` }
    if (endsAfter !== undefined) made.completed = this.clock + endsAfter + 1
    if (correction !== undefined) made.correction = { status_code: correction }
    const lines = this.format === 'json' ? jsonLinesOf(made) : rancherLinesOf(made)
    const [received = '', ...later] = lines
    this.push(received)
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
