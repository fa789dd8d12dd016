import { meaningOf, type Secrecy } from './key-meaning.js'

export type { Secrecy } from './key-meaning.js'

/** The depth of a body is bounded, too. */
const MOST_PARTS = 32

/** The length up to which letters with accents, and full-width ones, are read as plain letters. */
const LONGEST_TO_FOLD = 256

/** The length from which only both ends of a key are read. */
const LONGEST_KEY = 4096

/** The result of reading a key without any option. */
export interface KeyForms {
  /** The secrecy of its value by the built-in words. */
  readonly secrecy: Secrecy
  /**
   * Its normal form, then those of its parts if it is a path, such as `user[password]` or `auth.token`. Empty for a
   * path with too many parts.
   */
  readonly forms: readonly string[]
}

/**
 * Returns the form in which names of keys are compared: percent-decoded (twice at most), in lower case, without `-`,
 * `_`, `+` and white space. `X-Api%2DKey` and `xApiKey` have the same.
 */
export function normalKey(key: string): string {
  return normalForm(decodeTwice(key))
}

/** Reads a key, and each part of a path. The parts are bounded: half a million of them would take half a second. */
export function readKey(key: string): KeyForms {
  const text = decodeTwice(key.length > LONGEST_KEY ? bothEnds(key) : key)
  if (!/[[\].]/.test(text)) return { secrecy: meaningOf(fold(text)), forms: [normalForm(text)] }
  const parts = text.split(/[[\].]+/, MOST_PARTS + 1)
  if (parts.length > MOST_PARTS) return { secrecy: 2, forms: [] }
  const all = [text, ...parts.filter((part) => part !== '')]
  return { secrecy: mostSecret(all.map((part) => meaningOf(fold(part)))), forms: all.map(normalForm) }
}

/** Tells whether a key's value is secret by the built-in words, also if the key is percent-encoded or a path. */
export function isSecretKey(key: string): boolean {
  return readKey(key).secrecy > 0
}

function bothEnds(key: string): string {
  return `${key.slice(0, LONGEST_KEY / 2)}.${key.slice(-LONGEST_KEY / 2)}`
}

/** Returns the greatest of some secrecies. */
export function mostSecret(all: readonly Secrecy[]): Secrecy {
  return all.reduce((most: Secrecy, one) => (one > most ? one : most), 0)
}

function normalForm(text: string): string {
  return text.toLowerCase().replace(/[-_+\s]+/g, '')
}

function fold(text: string): string {
  return text.length > LONGEST_TO_FOLD || /^[ -~]*$/.test(text) ? text : text.normalize('NFKD').replace(/\p{M}+/gu, '')
}

function decodeTwice(key: string): string {
  return key.includes('%') ? decodeAscii(decodeAscii(key)) : key
}

/** Percent-decodes ASCII alone: the vocabulary has nothing else, and a malformed sequence must not throw. */
export function decodeAscii(text: string): string {
  return text.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
