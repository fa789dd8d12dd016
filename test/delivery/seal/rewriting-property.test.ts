import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type VerifyResult, verifyTrail } from '../../../src/index.js'
import { runs } from '../../support/runs.js'
import { hashOf, isSealed, reseal, stripped } from './forging.js'
import { type Files, KEYS, readTrailFiles, type WrittenTrail, writeFiles, writeTrail } from './sealed-trail.js'

const SECRET = 'a secret of at least thirty-two bytes'
const SEAL = { secret: SECRET, privateKey: KEYS.privateKey, checkpointEvery: 4, rotateBytes: 4000 }

let root: string
let written: WrittenTrail

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'rewriting-'))
  written = await writeTrail(join(root, 'original'), [5, 1, 6], SEAL)
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Numbers that choose where an edit is made. */
type Choose = (below: number) => number
/** An edit by somebody who may write the files, and has neither the secret nor the private key. */
type Edit = (files: Files, choose: Choose) => void

function anyFile(files: Files, choose: Choose): Files[number] {
  return files[choose(files.length)] ?? { name: 'audit.log', lines: [] }
}

/** Changes some lines that stand together into others. */
function splice(files: Files, choose: Choose, change: (lines: string[], prev: string) => string[]): void {
  const { lines } = anyFile(files, choose)
  const from = choose(lines.length)
  const count = 1 + choose(4)
  lines.splice(from, count, ...change(lines.slice(from, from + count), hashOf(lines[from - 1])))
}

const FOREIGN = ['', 'text', '{"a":1}', '{"created_at":"2026-03-24T17:09:35.704Z","event_type":"audit","payload":{}}']

const EDITS: Record<string, Edit> = {
  'cut at a line, and all files after it': (files, choose) => {
    const index = choose(files.length)
    files[index]?.lines.splice(choose(files[index]?.lines.length ?? 0))
    files.splice(index + 1)
  },
  'cut at the end of one file': (files, choose) => {
    const { lines } = anyFile(files, choose)
    lines.splice(choose(lines.length))
  },
  'strip seals, and edit what they sealed': (files, choose) =>
    splice(files, choose, (lines) => lines.map((line) => stripped(line).replace('/jobs/', '/x/'))),
  'strip all seals after a line': (files, choose) => {
    const index = choose(files.length)
    for (const [place, { lines }] of files.entries()) {
      const from = place < index ? lines.length : place === index ? choose(lines.length) : 0
      lines.splice(from, lines.length, ...lines.slice(from).map(stripped))
    }
  },
  'seal lines anew with a plain hash': (files, choose) =>
    splice(files, choose, (lines, prev) => reseal(lines, prev || '0'.repeat(64))),
  'seal lines anew with another secret': (files, choose) =>
    splice(files, choose, (lines, prev) => reseal(lines, prev || '0'.repeat(64), `another ${SECRET}`)),
  'insert a line': (files, choose) => {
    const { lines } = anyFile(files, choose)
    lines.splice(choose(lines.length + 1), 0, FOREIGN[choose(FOREIGN.length)] ?? '')
  },
  'append a line': (files, choose) => void files.at(-1)?.lines.push(FOREIGN[choose(FOREIGN.length)] ?? ''),
  'delete lines': (files, choose) => splice(files, choose, () => []),
  'delete a file': (files, choose) => void files.splice(choose(files.length), 1),
  'delete all files but one line without a seal': (files) => {
    files.splice(1)
    if (files[0] !== undefined) files[0].lines.push('{"a":1}')
  },
  'swap two lines': (files, choose) => {
    const [one, other] = [anyFile(files, choose).lines, anyFile(files, choose).lines]
    const [a, b] = [choose(one.length), choose(other.length)]
    const [first = '', second = ''] = [one[a], other[b]]
    one[a] = second
    other[b] = first
  },
  'swap two names': (files, choose) => {
    const [one, other] = [anyFile(files, choose), anyFile(files, choose)]
    const { name } = one
    one.name = other.name
    other.name = name
  },
  'repeat lines': (files, choose) => {
    const { lines } = anyFile(files, choose)
    const from = choose(lines.length)
    const { lines: target } = anyFile(files, choose)
    target.splice(choose(target.length + 1), 0, ...lines.slice(from, from + 1 + choose(4)))
  },
  'repeat a file': (files, choose) => {
    const { lines } = anyFile(files, choose)
    files.splice(choose(files.length), 0, {
      name: `audit-2026-11-${10 + choose(20)}T00-00-00.000Z.log`,
      lines: [...lines],
    })
  },
  'change a character': (files, choose) =>
    splice(files, choose, ([line = '', ...rest]) => {
      const at = choose(line.length)
      return [`${line.slice(0, at)}${line[at] === 'a' ? 'b' : 'a'}${line.slice(at + 1)}`, ...rest]
    }),
}

/** The lines of files in the order of their names, of which two may have become the same: the later one is on the disk. */
function linesOf(files: Files): string[] {
  const byName = new Map(files.map(({ name, lines }) => [name, lines]))
  const names = [...byName.keys()].sort(
    (a, b) => Number(a === 'audit.log') - Number(b === 'audit.log') || (a < b ? -1 : 1),
  )
  return names.flatMap((name) => byName.get(name) ?? [])
}

async function verify(directory: string, expected?: string): Promise<VerifyResult> {
  return verifyTrail([join(directory, 'audit.log')], { secret: SECRET, publicKey: KEYS.publicKey, expect: expected })
}

const edits = fc.array(fc.constantFrom(...Object.keys(EDITS)), { minLength: 1, maxLength: 3 })

describe('of a sealed trail that somebody without the keys has edited before a start', () => {
  it('`verify` names the edit after more requests, unless it is no more than a cut at the end', async () => {
    const original = linesOf(written.files)
    const newest = written.checkpoints.at(-1)?.hash
    await fc.assert(
      fc.asyncProperty(edits, fc.infiniteStream(fc.nat()), fc.boolean(), async (names, numbers, isCovered) => {
        const choose: Choose = (below) => Number(numbers.next().value) % Math.max(1, below)
        const files = structuredClone(written.files)
        for (const name of names) EDITS[name]?.(files, choose)
        const edited = linesOf(files)
        // With nothing sealed left, it is another trail.
        fc.pre(edited.some((line) => original.includes(line)))
        const directory = mkdtempSync(join(root, 'edited-'))
        writeFiles(directory, files)
        await writeTrail(directory, [2], SEAL)
        if (isCovered) coverUp(directory)
        const { ok, problems } = await verify(directory)
        if (isPrefix(edited, original)) {
          expect(problems.filter(({ kind }) => kind !== 'renamed')).toEqual([])
          const isCut = !edited.some((line) => hashOf(line) === newest)
          expect((await verify(directory, newest)).problems.some(({ kind }) => kind === 'cut-off')).toBe(isCut)
        } else if (!(isCovered && isUndone(edited, original))) expect(ok).toBe(false)
        rmSync(directory, { recursive: true })
      }),
      { numRuns: runs(25) },
    )
  })
})

/** Takes out all lines without a seal, after the server went on from the last sealed one. */
function coverUp(directory: string): void {
  const files = readTrailFiles(directory).map(({ name, lines }) => ({ name, lines: lines.filter(isSealed) }))
  for (const name of readdirSync(directory))
    if (name !== 'audit.log') rmSync(join(directory, name), { recursive: true })
  writeFiles(directory, files)
}

/** Whether nothing but the end is cut off. */
function isPrefix(edited: readonly string[], original: readonly string[]): boolean {
  return edited.every((line, index) => line === original[index])
}

/** Whether lines without a seal were put in and taken out again: those at the end alone are found by the next start. */
function isUndone(edited: readonly string[], original: readonly string[]): boolean {
  return isPrefix(edited.filter(isSealed), original) && isSealed(edited.at(-1) ?? '')
}
