import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type VerifyResult, verifyTrail } from '../../../src/index.js'
import { runs } from '../../support/runs.js'
import { editedBy, someEdits } from './edits.js'
import { hashOf, isSealed } from './forging.js'
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

describe('of a sealed trail that somebody without the keys has edited before a start', () => {
  it('`verify` names the edit after more requests, unless it is no more than a cut at the end', async () => {
    const original = linesOf(written.files)
    const newest = written.checkpoints.at(-1)?.hash
    await fc.assert(
      fc.asyncProperty(someEdits, fc.infiniteStream(fc.nat()), fc.boolean(), async (names, numbers, isCovered) => {
        const files = editedBy(names, numbers, written.files)
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

/** Tells whether only the end is cut off. */
function isPrefix(edited: readonly string[], original: readonly string[]): boolean {
  return edited.every((line, index) => line === original[index])
}

/** Tells whether lines without a seal were inserted and removed again: the next start finds only those at the end. */
function isUndone(edited: readonly string[], original: readonly string[]): boolean {
  return isPrefix(edited.filter(isSealed), original) && isSealed(edited.at(-1) ?? '')
}
