import type { Secrecy } from '../keys.js'
import { isCard } from './cards.js'
import { isValidJson } from './json-check.js'

/** Longer texts are searched as running text. */
const LONGEST = 262_144

/** A string, a bracket or a separator, or a number, `true`, `false` or `null`. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g

/** What is secret in JSON: by its key, or by what it is. */
export interface JsonRules {
  /** How secret a value is by its key; of an object or a list, nothing but that is given. */
  secrecyOf(key: string, value: unknown): Secrecy
  replacement(value: unknown, secrecy: Secrecy): string
  /** A string of the JSON, redacted. */
  text(text: string): string
}

/** Whether a text is JSON, and short enough to be told. */
export function isJson(text: string): boolean {
  if (text.length > LONGEST || !/["}\]]\s*$/.test(text.slice(-64))) return false
  return isValidJson(text)
}

/**
 * A text that is JSON, redacted by keys and values. What is not secret stays as it was written, to the last digit of a
 * number and the second of two equal keys, and no depth is too deep.
 */
export function redactJson(text: string, rules: JsonRules): string {
  return new JsonRedaction(text, rules).run()
}

class JsonRedaction {
  private redacted = ''
  private copied = 0
  /** The string that was read last: a key when a colon follows. */
  private string: { start: number; literal: string } | null = null
  /** The key of the value that comes next, when it is secret. */
  private key: string | null = null
  private secrecy: Secrecy = 0
  /** Where the secret object or array begins that is being read, and how many are open in it. */
  private container = -1
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
    return this.copied === 0 ? this.source : this.redacted + this.source.slice(this.copied)
  }

  private read(token: string, start: number): void {
    if (token === ':') {
      this.endString(true)
      return
    }
    this.endString(false)
    if (this.key !== null) this.readSecret(this.key, token, start)
    else if (token.startsWith('"')) this.string = { start, literal: token }
    else if (isCard(token)) this.put(start, start + token.length, this.rules.replacement(token, 1))
  }

  private readSecret(key: string, token: string, start: number): void {
    this.key = null
    if (token === '{' || token === '[') {
      this.container = start
      this.depth = 1
      return
    }
    const value: unknown = JSON.parse(token)
    this.secrecy = this.rules.secrecyOf(key, value)
    if (this.secrecy > 0) this.put(start, start + token.length, this.rules.replacement(value, this.secrecy))
  }

  private skip(token: string, start: number): void {
    if (token === '{' || token === '[') this.depth++
    else if (token === '}' || token === ']') this.depth--
    if (this.depth > 0) return
    this.put(this.container, start + token.length, this.rules.replacement(null, this.secrecy))
    this.container = -1
  }

  private endString(isKey: boolean): void {
    const { string, rules } = this
    if (string === null) return
    this.string = null
    const { start, literal } = string
    const text = literal.includes('\\') ? String(JSON.parse(literal)) : literal.slice(1, -1)
    const redacted = rules.text(text)
    if (redacted !== text) this.put(start, start + literal.length, redacted)
    if (!isKey) return
    this.secrecy = rules.secrecyOf(text, undefined)
    if (this.secrecy > 0) this.key = text
  }

  private put(start: number, end: number, text: string): void {
    this.redacted += this.source.slice(this.copied, start) + JSON.stringify(text)
    this.copied = end
  }
}
