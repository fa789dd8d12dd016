import type { Secrecy } from '../keys.js'
import { redactAssignments } from './assignments.js'
import { redactCards } from './cards.js'
import { redactOptions } from './command-options.js'
import { decode, encode } from './encoding.js'
import { redactForms } from './forms.js'
import { isJson, redactJson } from './json-text.js'
import { redactMarkup } from './markup.js'
import {
  AT,
  cuesOf,
  DASHES,
  DIGITS,
  FORM,
  JSON_TEXT,
  KEY,
  MARKUP,
  OPTION,
  PERCENT,
  SCHEME,
  TOKEN,
} from './prefilter.js'
import { redactCredentials, redactPrivateKeys, redactTokens, redactUserInfo } from './values.js'

/** The text in the place of a redacted value. */
export const REDACTED = '[REDACTED]'

/** The most levels of JSON within strings of JSON, and of percent-encoding, that are read. */
const JSON_DEPTH = 3
const DECODED = 2

/** A run of characters that may be percent-encoded as a whole: a part of a path, a key or a value of a query. */
const ENCODED = /[^\s&?#;=/]+/g

/** Tells which keys are secret, and gives the replacements of their values. */
export interface SearchRules {
  secrecyOf(key: string, marks: ReadonlySet<string> | null): Secrecy
  secrecyOfValue(key: string, value: unknown, marks: ReadonlySet<string> | null): Secrecy
  shapeOf(key: string): number
  secretName(name: unknown, marks: ReadonlySet<string> | null): string | undefined
  replacement(value: unknown, secrecy: Secrecy): string
}

/**
 * One search for secrets, through everything that they are wrapped in. Each wrapping costs one more pass, and there are
 * five at most, so that the search stays linear in its text.
 */
export class Search {
  /** The number of secrets that were found. */
  found = 0

  /** `marks` are names of secret keys, in addition to those of the rules. */
  constructor(
    private readonly rules: SearchRules,
    private readonly marks: ReadonlySet<string> | null,
  ) {}

  /** Redacts a text. Forms that may hold other secrets come first. */
  text(text: string, json = JSON_DEPTH, decoded = DECODED): string {
    const cues = cuesOf(text)
    if (cues === 0) return text
    if ((cues & JSON_TEXT) !== 0 && json > 0 && isJson(text)) return this.json(text, json - 1, decoded)
    let clean = text
    if ((cues & DASHES) !== 0) clean = redactPrivateKeys(clean, (value) => this.replacement(value, 2))
    if ((cues & PERCENT) !== 0 && decoded > 0) clean = this.encodedRuns(clean, json, decoded)
    if ((cues & AT) !== 0) clean = this.userInfo(clean)
    if ((cues & MARKUP) !== 0) clean = redactMarkup(clean, this)
    if ((cues & (DASHES | OPTION)) !== 0) clean = redactOptions(clean, this)
    if ((cues & KEY) !== 0) clean = redactAssignments(clean, this, decoded < DECODED)
    return this.byForm(clean, cues)
  }

  /** Redacts a path by the forms of secrets alone: `/token:refresh` is not a key and its value. */
  path(path: string): string {
    const cues = cuesOf(path)
    let clean = path
    if ((cues & PERCENT) !== 0) clean = this.encodedRuns(clean, JSON_DEPTH, DECODED)
    return this.byForm(clean, cues)
  }

  /** Redacts user information alone. */
  userInfo(url: string): string {
    return url.includes('@') ? redactUserInfo(url, (value) => this.replacement(value, 2)) : url
  }

  /** Redacts a text that may be percent-encoded as a whole, such as a query's value. Encodes it again if it changed. */
  encoded(text: string): string {
    const plain = decode(text)
    if (plain === text) return this.text(text)
    const clean = this.text(plain, JSON_DEPTH, DECODED - 1)
    return clean === plain ? this.text(text, JSON_DEPTH, 0) : encode(clean)
  }

  secrecyOf(key: string): Secrecy {
    return this.rules.secrecyOf(key, this.marks)
  }

  shapeOf(key: string): number {
    return this.rules.shapeOf(key)
  }

  secretName(name: unknown): string | undefined {
    return this.rules.secretName(name, this.marks)
  }

  /** The replacement of a secret; a secret that was replaced already keeps its replacement. */
  replacement(value: unknown, secrecy: Secrecy): string {
    if (value === REDACTED) return REDACTED
    this.found++
    return this.rules.replacement(value, secrecy)
  }

  private byForm(text: string, cues: number): string {
    if ((cues & (SCHEME | TOKEN | FORM | DIGITS)) === 0) return text
    const hashed = (value: string) => this.replacement(value, 1)
    let clean = text
    if ((cues & SCHEME) !== 0) clean = redactCredentials(clean, hashed, (value) => this.replacement(value, 2))
    if ((cues & TOKEN) !== 0) clean = redactTokens(clean, hashed)
    if ((cues & FORM) !== 0) clean = redactForms(clean, hashed)
    if ((cues & DIGITS) !== 0) clean = redactCards(clean, hashed)
    return clean
  }

  private encodedRuns(text: string, json: number, decoded: number): string {
    return text.replace(ENCODED, (run) => {
      if (!run.includes('%')) return run
      const plain = decode(run)
      if (plain === run) return run
      const clean = this.text(plain, json, decoded - 1)
      return clean === plain ? run : encode(clean)
    })
  }

  private json(text: string, json: number, decoded: number): string {
    return redactJson(text, {
      secrecyOf: (key, value) => this.rules.secrecyOfValue(key, value, this.marks),
      shapeOf: (key) => this.shapeOf(key),
      secretName: (name) => this.secretName(name),
      replacement: (value, secrecy) => this.replacement(value, secrecy),
      text: (inner) => this.text(inner, json, decoded),
    })
  }
}
