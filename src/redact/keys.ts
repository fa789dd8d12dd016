import { meaningOf, type Secrecy } from './key-meaning.js'

export type { Secrecy } from './key-meaning.js'

/** A path is no deeper than a body that is read. */
const MOST_PARTS = 32

/** Letters with accents, and full-width ones, are read as the letters that they look like, up to this length. */
const LONGEST_TO_FOLD = 256

/** Of a longer key, both ends are read. */
const LONGEST_KEY = 4096

/** What is known of a key by itself. */
export interface KeyForms {
  /** How secret its value is by the built-in words. */
  readonly secrecy: Secrecy
  /**
   * Its normal form, then those of its parts when it is a path, such as `user[password]` or `auth.token`; empty for a
   * path of more parts than anybody writes.
   */
  readonly forms: readonly string[]
}

/**
 * The form in which names of keys are compared: percent-decoded (twice at most), in lower case, without `-`, `_`, `+`
 * and white space. `X-Api%2DKey` and `xApiKey` have the same.
 */
export function normalKey(key: string): string {
  return normalForm(decodeTwice(key))
}

/** Reads a key, and each part of one that is a path. Half a million parts in one key would take half a second. */
export function readKey(key: string): KeyForms {
  const text = decodeTwice(key.length > LONGEST_KEY ? bothEnds(key) : key)
  if (!/[[\].]/.test(text)) return { secrecy: meaningOf(fold(text)), forms: [normalForm(text)] }
  const parts = text.split(/[[\].]+/, MOST_PARTS + 1)
  if (parts.length > MOST_PARTS) return { secrecy: 2, forms: [] }
  const all = [text, ...parts.filter((part) => part !== '')]
  return { secrecy: mostSecret(all.map((part) => meaningOf(fold(part)))), forms: all.map(normalForm) }
}

/** Whether a key's value is secret by the built-in words, whatever the key's disguise. */
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

/** Percent-decodes ASCII alone: a name in the vocabulary has nothing else, and a malformed sequence must not throw. */
export function decodeAscii(text: string): string {
  return text.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
