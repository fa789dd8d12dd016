import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { header, parseReplies } from '../../support/wire.js'
import type { TalkStep } from './client.js'
import { BIG } from './routes.js'

/** A folder with a page and a large file, there until the tests of this file are over. */
export function publicFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'audit-public-'))
  for (const [name, text] of Object.entries({ 'page.html': '<!doctype html><title>page</title>', 'big.txt': BIG })) {
    writeFileSync(join(folder, name), text)
    // Replies hold it, and an etag that is made of it.
    utimesSync(join(folder, name), 1_700_000_000, 1_700_000_000)
  }
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The requests that a server of files under `/files` gets. */
export const FILE_STEPS: TalkStep[] = [
  { url: '/files/page.html' },
  (previous) => ({ url: '/files/page.html', headers: { 'if-none-match': etagOf(previous) } }),
  { method: 'HEAD', url: '/files/page.html' },
  { url: '/files/big.txt' },
  { url: '/files/big.txt', headers: { 'accept-encoding': 'gzip' } },
  { url: '/files/big.txt', headers: { range: 'bytes=10-29' } },
  { url: '/files/big.txt', headers: { range: 'bytes=99999999-' } },
  { url: '/files/none.html' },
]

/** The etag of a reply. */
export function etagOf(previous: string): string {
  return header(parseReplies(previous).at(-1), 'etag') ?? 'none'
}
