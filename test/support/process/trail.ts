import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { AuditEvent, TrailEvent } from '../../../src/event/event.js'
import { ArchiveNames } from '../../../src/sinks/file/names.js'
import type { Answer } from './flood.js'

export type Line = TrailEvent

/** The part of a trail that one server has left, from its start to its end. */
export interface Life {
  seqs: number[]
  /** The number of records that its gaps report as lost or in doubt. */
  missing: number
  /** The types of the entries of its own life, in order. */
  own: string[]
  last: Line
}

/** A trail's records of one request: its stages in order. */
export interface Trace {
  instance: string
  stages: string[]
}

/** Everything that is at a path: the lines of the file and its archives, by server and by request. */
export class WrittenTrail {
  readonly lives = new Map<string, Life>()
  readonly traces = new Map<string, Trace>()
  /** The fragments that were set aside as torn. */
  readonly torn: string[] = []
  /** Files that are no part of a trail. */
  readonly others: string[] = []
  files = 0
  private readonly problems: string[] = []

  constructor(readonly path: string) {
    const names = new ArchiveNames(path)
    const present = readdirSync(dirname(path))
    for (const { name } of names.among(present)) this.readFile(names.path(name))
    this.readFile(path)
    for (const name of present) {
      if (name === names.active || names.parse(name) !== undefined) continue
      if (name.startsWith(`${names.active}.torn-`)) this.torn.push(readFileSync(join(dirname(path), name), 'utf8'))
      else this.others.push(name)
    }
  }

  /** The lines that follow, in their order. */
  take(text: string, from: string): void {
    if (text !== '' && !text.endsWith('\n')) this.problems.push(`${from} ends in a torn line: ${text.slice(-80)}`)
    for (const line of text.split('\n').slice(0, -1)) this.takeLine(line, from)
  }

  /** The problems of the trail itself, whatever the requests were. */
  flaws(): string[] {
    const flaws = [...this.problems]
    for (const [instance, { seqs, missing, own }] of this.lives) {
      const inOrder = seqs.every((seq, index) => index === 0 || seq > (seqs[index - 1] ?? 0))
      // A rotation that was due comes before the start; both go in one write, which a kill can tear.
      const hasBegun = own.includes('start') || own.length === seqs.length
      if (!inOrder || !hasBegun) flaws.push(`${instance}: out of order, or without a start`)
      const absent = (seqs.at(-1) ?? 0) - seqs.length
      if (absent !== missing) flaws.push(`${instance}: ${absent} numbers are missing, ${missing} by its gaps`)
    }
    for (const [id, { stages }] of this.traces) {
      if (!LEGAL.test(stages.join(', '))) flaws.push(`${id} has the records ${stages.join(', ')}`)
    }
    for (const fragment of this.torn) {
      if (fragment === '' || fragment.includes('\n')) flaws.push(`set aside as torn: ${fragment.slice(0, 80)}`)
    }
    return flaws
  }

  /** The replies that lack one of their two whole lines, with the status that was sent. */
  unrecorded(answers: readonly Answer[]): string[] {
    return answers
      .filter((answer) => !this.hasBothOf(answer))
      .map((answer) => `not recorded: ${JSON.stringify(answer)}`)
  }

  hasBothOf({ auditId, status }: Answer): boolean {
    return this.traces.get(auditId)?.stages.join(', ') === `Received, Complete ${status}`
  }

  /**
   * Counts the replies that it lacks, and expects it to have lost only its end: on each connection, replies with their
   * lines come before those without.
   */
  lostAtEnd(answers: readonly Answer[]): number {
    const least = new Map<number, number>()
    let lost = 0
    for (const answer of answers) {
      const lines = this.traces.get(answer.auditId)?.stages.length ?? 0
      if (lines > (least.get(answer.connection) ?? 2)) throw new Error(`lost before ${JSON.stringify(answer)}`)
      least.set(answer.connection, lines)
      lost += 2 - lines
    }
    return lost
  }

  private readFile(path: string): void {
    this.files++
    this.take(readFileSync(path, 'utf8'), path)
  }

  private takeLine(text: string, from: string): void {
    const line = parse(text)
    if (line === undefined) {
      this.problems.push(`${from} holds a line that is none: ${text.slice(0, 200)}`)
      return
    }
    const { instance, seq, payload } = line
    const life = this.lives.get(instance) ?? { seqs: [], missing: 0, own: [], last: line }
    this.lives.set(instance, life)
    life.seqs.push(seq)
    life.last = line
    if (payload.type === 'audit') this.takeStage(instance, line as AuditEvent)
    else life.own.push(payload.type)
    if (payload.type === 'gap') life.missing += payload.gap.lost + payload.gap.in_doubt
  }

  private takeStage(instance: string, { payload: { id, stage, response } }: AuditEvent): void {
    const trace = this.traces.get(id) ?? { instance, stages: [] }
    this.traces.set(id, trace)
    trace.stages.push(stage === 'OperationReceived' ? 'Received' : `Complete ${response?.status_code}`)
  }
}

/** A server that was killed may not have come to the Complete; one that refused had no Received stored. */
const LEGAL = /^(Received|Received, Complete \d+|Complete 503)$/

function parse(text: string): Line | undefined {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
