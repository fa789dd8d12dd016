import { extname } from 'node:path'
import { ArchiveNames } from '../sinks/file/names.js'

/** An archive's name by what it is made of: the trail's own name, the time, a number, the extension. */
const ARCHIVE = /^(.*)-\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}\.\d{3}Z(?:-\d{1,9})?(\.[^.]*)?$/s
/** Names that logrotate and people give: `audit.log.1`, `audit.log-20261130`, `audit.log.old`. */
const AFTER_EXTENSION = /^(.+\.(?:log|jsonl|ndjson))[.~_-].*$/s
/** The same before the extension: `audit.1.log`, `audit-20261130.log`. */
const BEFORE_EXTENSION = /^(.+?)(?:\.\d{1,4}|[._-]\d{8}(?:[T_-]?\d{2,6})?)(\.(?:log|jsonl|ndjson))$/s
const LOG = /\.(?:log|jsonl|ndjson)$/
const COMPRESSED = new Set(['.gz', '.zst', '.xz', '.bz2', '.lz4', '.br', '.lzma', '.lz', '.lzo', '.Z', '.zip', '.7z'])
/** Files that the file sink puts beside a trail. */
const COMPANION = /\.(?:lock|hold|next|probe)$|\.lock\.|\.torn-/

/** The name of the active file from which a rotated or compressed one has its name; `undefined` for others. */
export function activeNameOf(name: string): string | undefined {
  const plain = uncompressedName(name)
  const exact = exactActiveNameOf(plain)
  if (exact !== undefined) return exact
  const [, active] = AFTER_EXTENSION.exec(plain) ?? []
  if (active !== undefined) return active
  const [, stem, extension = ''] = BEFORE_EXTENSION.exec(plain) ?? []
  if (stem !== undefined) return stem + extension
  return plain === name ? undefined : plain
}

/** The same, only for names that are exactly as the file sink makes them, compressed or not. */
export function exactActiveNameOf(name: string): string | undefined {
  const plain = uncompressedName(name)
  const [, stem, extension = ''] = ARCHIVE.exec(plain) ?? []
  if (stem === undefined) return undefined
  const active = stem + extension
  return new ArchiveNames(active).parse(plain) === undefined ? undefined : active
}

/** Whether a name is that of an active file, or was made of it when it was rotated or compressed. */
export function isNamedAfter(name: string, active: string): boolean {
  const plain = uncompressedName(name)
  if (plain === active || activeNameOf(name) === active) return true
  return plain.startsWith(active) && /^[.~_-]\d/.test(plain.slice(active.length))
}

/** A name without the ending of a program that compresses. */
export function uncompressedName(name: string): string {
  const extension = extname(name)
  return COMPRESSED.has(extension) ? name.slice(0, -extension.length) : name
}

/** Whether a file stands beside a trail and is not a part of it. */
export function isCompanion(name: string): boolean {
  return COMPANION.test(name)
}

/** Whether a file is a log by its name, be it rotated or compressed. */
export function isLogName(name: string): boolean {
  return LOG.test(activeNameOf(name) ?? name)
}

/** Compares names where nothing else tells the order: archives by time or number, the active file last. */
export function compareNames(one: string, other: string): number {
  const [a, b] = [placeOf(one), placeOf(other)]
  return a.rank - b.rank || a.place - b.place || a.number - b.number || (one < other ? -1 : Number(one > other))
}

function placeOf(name: string): { rank: number; place: number; number: number } {
  const plain = uncompressedName(name)
  const exact = exactActiveNameOf(plain)
  if (exact !== undefined) {
    const archive = new ArchiveNames(exact).parse(plain)
    return { rank: 0, place: archive?.time ?? 0, number: archive?.number ?? 0 }
  }
  const [, digits] = /\.(\d{1,4})(?:\.[a-z]+)?$/.exec(plain) ?? []
  // The highest number of logrotate is its oldest file.
  if (digits !== undefined) return { rank: 0, place: 0, number: -Number(digits) }
  return { rank: activeNameOf(name) === undefined ? 1 : 0, place: 0, number: 0 }
}
