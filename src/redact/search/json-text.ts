import type { Secrecy } from '../keys.js'
import { LONGEST_TEXT } from '../limits.js'
import { isCard } from './cards.js'
import { isValidJson } from './json-check.js'
import { type Frame, ListFrame, type NameRules, ObjectFrame } from './json-frames.js'

/** A string, a bracket or a separator, or a number, `true`, `false` or `null`. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g

/** Finds secrets in JSON: by their keys, by names beside them, or by their forms. */
export interface JsonRules extends NameRules {
  replacement(value: unknown, secrecy: Secrecy): string
  /** Redacts a string of the JSON. */
  text(text: string): string
}

/** Whether a text is JSON, and short enough to be checked. */
export function isJson(text: string): boolean {
  if (text.length > LONGEST_TEXT || !/["}\]]\s*$/.test(text.slice(-64))) return false
  return isValidJson(text)
}

/**
 * Redacts a text that is JSON, by keys and values. The rest stays as it was written, to the last digit of a number and
 * the second of two equal keys. JSON of any depth is read.
 */
export function redactJson(text: string, rules: JsonRules): string {
  return new JsonRedaction(text, rules).run()
}

class JsonRedaction {
  private readonly edits: Edit[] = []
  /** The objects and lists that are open, except those within a secret one. */
  private readonly open: Frame[] = []
  /** The string that was read last: a key when a colon follows. */
  private string: { start: number; literal: string } | null = null
  /** The start of the secret object or array that is being read, its secrecy, and the number of open ones in it. */
  private container = -1
  private secrecy: Secrecy = 0
  private depth = 0

  constructor(
    private readonly source: string,
    private readonly rules: JsonRules,
  ) {}

  run(): string {
    for (const { 0: token, index } of this.source.matchAll(TOKEN)) {
      if (this.container === -1) this.read(token, index)
      else this.skip(token, index)
    }
    this.endString(false)
    return withEdits(this.source, this.edits)
  }

  private read(token: string, start: number): void {
    this.endString(token === ':')
    if (token.startsWith('"')) this.string = { start, literal: token }
    else if (token === '{' || token === '[') this.begin(token, start)
    else if (token === '}' || token === ']') this.end(start + 1)
    else if (token !== ':' && token !== ',') this.scalar(token, start, start + token.length, readLiteral(token))
  }

  private begin(bracket: string, start: number): void {
    this.secrecy = this.open.at(-1)?.secrecyOf(undefined) ?? 0
    if (this.secrecy === 0)
      this.open.push(bracket === '[' ? new ListFrame(this.rules, start) : new ObjectFrame(this.rules, start))
    else {
      this.container = start
      this.depth = 1
    }
  }

  private end(end: number): void {
    const frame = this.open.pop()
    if (frame === undefined) return
    for (const { start, end: last, value, secrecy } of frame.secrets()) this.replace(start, last, value, secrecy)
    this.open.at(-1)?.add(frame.start, end, frame.asValue())
  }

  private skip(token: string, start: number): void {
    if (token === '{' || token === '[') this.depth++
    else if (token === '}' || token === ']') this.depth--
    if (this.depth > 0) return
    this.replace(this.container, start + token.length, null, this.secrecy)
    this.container = -1
    this.open.at(-1)?.pass()
  }

  private endString(isKey: boolean): void {
    const { string, rules } = this
    if (string === null) return
    this.string = null
    const { start, literal } = string
    const end = start + literal.length
    const text = literal.includes('\\') ? String(JSON.parse(literal)) : literal.slice(1, -1)
    if (!isKey) {
      this.scalar(literal, start, end, text)
      return
    }
    const redacted = rules.text(text)
    if (redacted !== text) this.edit(start, end, redacted)
    this.open.at(-1)?.name(text)
  }

  /** Reads a value that is not an object or a list. */
  private scalar(token: string, start: number, end: number, value: unknown): void {
    const { rules } = this
    const frame = this.open.at(-1)
    const secrecy = frame?.secrecyOf(value) ?? 0
    if (secrecy > 0) {
      this.replace(start, end, value, secrecy)
      frame?.pass()
      return
    }
    frame?.add(start, end, value)
    if (typeof value === 'string') {
      const redacted = rules.text(value)
      if (redacted !== value) this.edit(start, end, redacted)
    } else if (isCard(token)) this.edit(start, end, rules.replacement(token, 1))
  }

  private replace(start: number, end: number, value: unknown, secrecy: Secrecy): void {
    this.edit(start, end, this.rules.replacement(value, secrecy))
  }

  private edit(start: number, end: number, text: string): void {
    this.edits.push({ start, end, text: JSON.stringify(text) })
  }
}

/** A number, `true`, `false` or `null`. */
function readLiteral(token: string): unknown {
  if (token === 'null') return null
  return token === 'true' || token === 'false' ? token === 'true' : Number(token)
}

/** A piece of the source and its replacement. */
interface Edit {
  start: number
  end: number
  text: string
}

/** Applies edits to the source. An edit within another one has no effect. */
function withEdits(source: string, edits: Edit[]): string {
  let edited = ''
  let copied = 0
  for (const { start, end, text } of edits.sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (start < copied) continue
    edited += source.slice(copied, start) + text
    copied = end
  }
  return copied === 0 ? source : edited + source.slice(copied)
}
