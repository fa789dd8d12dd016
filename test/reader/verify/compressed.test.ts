import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyTrail } from '../../../src/index.js'
import { type Files, type WrittenTrail, writeFiles, writeTrail } from '../../delivery/seal/sealed-trail.js'
import { temporaryDirectory } from '../../sinks/file/world.js'

let root: string
let written: WrittenTrail

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'compressed-'))
  written = await writeTrail(root, [9, 3, 9], { rotateBytes: 4000 })
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

const archives = (): Files => written.files.slice(0, -1)

/** A trail of which the archives are compressed and moved away, as the page on rotation advises. */
function movedAway(): { directory: string; old: string; path: string } {
  const directory = temporaryDirectory()
  const old = join(directory, 'old')
  const path = writeFiles(directory, written.files)
  mkdirSync(old)
  for (const { name } of archives()) {
    writeFileSync(join(old, `${name}.gz`), gzipSync(readFileSync(join(directory, name))))
    rmSync(join(directory, name))
  }
  return { directory, old, path }
}

async function kinds(...paths: readonly string[]): Promise<string[]> {
  return (await verifyTrail(paths)).problems.map(({ kind }) => kind)
}

describe('archives that are compressed', () => {
  it('and moved into another directory are verified with the active file, in either order', async () => {
    const { old, path } = movedAway()
    for (const paths of [
      [old, path],
      [path, old],
    ]) {
      expect(await verifyTrail(paths)).toMatchObject({
        ok: true,
        problems: [],
        chains: 1,
        files: { length: written.files.length },
      })
    }
  })

  it('link by their hashes in any order and under any names, some of them compressed and some not', async () => {
    const indexes = archives().map((_, index) => index)
    const order = fc.shuffledSubarray(indexes, { minLength: indexes.length, maxLength: indexes.length })
    await fc.assert(
      fc.asyncProperty(order, fc.bigInt(0n, 2n ** BigInt(indexes.length)), async (shuffled, compressed) => {
        const directory = temporaryDirectory()
        const paths = shuffled.map((index, place) => {
          const text =
            archives()
              [index]?.lines.map((line) => `${line}\n`)
              .join('') ?? ''
          const path = join(directory, `part-${place}`)
          writeFileSync(path, (compressed >> BigInt(index)) & 1n ? gzipSync(text) : text)
          return path
        })
        const active = writeFiles(directory, written.files.slice(-1))
        const { problems, chains, lines } = await verifyTrail([...paths, active])
        // Their names are not those that the trail gives them, of which it says nothing more.
        expect(problems.filter(({ kind }) => kind !== 'renamed')).toEqual([])
        expect({ chains, lines }).toEqual({ chains: 1, lines: written.files.flatMap((file) => file.lines).length })
      }),
      { numRuns: 20 },
    )
  })

  it('and changed their names with each other are in their places, which is said', async () => {
    const { old, path } = movedAway()
    const [one = '', two = ''] = archives().map(({ name }) => join(old, `${name}.gz`))
    renameSync(one, `${one}.other`)
    renameSync(two, one)
    renameSync(`${one}.other`, two)
    expect(await kinds(old, path)).toEqual(['renamed'])
  })

  it('of which one is missing are a trail with a hole', async () => {
    const { old, path } = movedAway()
    rmSync(join(old, `${archives()[1]?.name}.gz`))
    expect(await kinds(old, path)).not.toEqual([])
  })

  it('are followed by the active file: when that was emptied before a start, the chain that begins is named', async () => {
    const { directory, old, path } = movedAway()
    truncateSync(path)
    await writeTrail(directory, [1], {})
    expect(await kinds(path)).toEqual([])
    expect(await kinds(old, path)).toEqual(['begins-anew'])
  })
})
