import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyTrail } from '../../../src/index.js'
import { type Files, KEYS, type WrittenTrail, writeFiles, writeTrail } from '../../delivery/seal/sealed-trail.js'
import { runs } from '../../support/runs.js'

let root: string
let written: WrittenTrail
let places: Array<{ file: number; line: number }>
let directories = 0

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'verify-property-'))
  written = await writeTrail(join(root, 'original'), [5, 1, 0, 8], { rotateBytes: 4000, privateKey: KEYS.privateKey })
  places = written.files.flatMap(({ lines }, file) => lines.map((_, line) => ({ file, line })))
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

/** A change of a trail, by numbers that choose its places; the line at which it must be found, at the latest. */
interface Change {
  name: string
  make(files: Files, choose: (below: number) => number): { file: number; line: number } | undefined
}

const CHANGES: Change[] = [
  {
    name: 'a byte is another one',
    make(files, choose) {
      const place = anyPlace(choose)
      const line = Buffer.from(lineAt(files, place))
      const at = choose(line.length)
      // Never a line feed, which would be another change.
      const flipped = (line[at] ?? 0) ^ (1 << choose(7))
      line[at] = flipped === 0x0a ? 0x20 : flipped
      files[place.file]?.lines.splice(place.line, 1, line.toString('latin1'))
      return place
    },
  },
  {
    name: 'a line is split',
    make(files, choose) {
      const place = anyPlace(choose)
      const line = lineAt(files, place)
      const at = choose(line.length)
      files[place.file]?.lines.splice(place.line, 1, line.slice(0, at), line.slice(at))
      return place
    },
  },
  {
    name: 'a line is removed, which is not the last one: nothing follows that',
    make(files, choose) {
      const place = places[choose(places.length - 1)] ?? { file: 0, line: 0 }
      files[place.file]?.lines.splice(place.line, 1)
      return place
    },
  },
  {
    name: 'lines are removed to the end of a file, which is not the last',
    make(files, choose) {
      const file = choose(files.length - 1)
      const line = choose(files[file]?.lines.length ?? 0)
      files[file]?.lines.splice(line)
      return { file: file + 1, line: 0 }
    },
  },
  {
    name: 'a line is repeated',
    make(files, choose) {
      const [from, to] = [anyPlace(choose), anyPlace(choose)]
      files[to.file]?.lines.splice(to.line, 0, lineAt(files, from))
      return to
    },
  },
  {
    name: 'two lines are swapped',
    make(files, choose) {
      const [one, other] = [anyPlace(choose), anyPlace(choose)]
      const [first, second] = [lineAt(files, one), lineAt(files, other)]
      if (first === second) return undefined
      files[one.file]?.lines.splice(one.line, 1, second)
      files[other.file]?.lines.splice(other.line, 1, first)
      return isBefore(one, other) ? one : other
    },
  },
  {
    name: 'a line is moved',
    make(files, choose) {
      const [from, to] = [anyPlace(choose), anyPlace(choose)]
      if (from.file === to.file && from.line === to.line) return undefined
      const [line = ''] = files[from.file]?.lines.splice(from.line, 1) ?? []
      files[to.file]?.lines.splice(to.line, 0, line)
      // From the end of a file to the beginning of the next one, it is where it was.
      if (textOf(files) === textOf(written.files)) return undefined
      return isBefore(from, to) ? from : to
    },
  },
  {
    name: 'a foreign line is inserted',
    make(files, choose) {
      const place = anyPlace(choose)
      files[place.file]?.lines.splice(place.line, 0, ['', 'x', '{"a":1}', '{"prev":"","hash":""}'][choose(4)] ?? '')
      return place
    },
  },
  {
    name: 'a file is removed',
    make(files, choose) {
      const file = choose(files.length - 1)
      files.splice(file, 1)
      return { file, line: 0 }
    },
  },
  {
    name: 'two files change their names',
    make(files, choose) {
      const [one, other] = [choose(files.length), choose(files.length)]
      const [first, second] = [files[one], files[other]]
      if (one === other || first === undefined || second === undefined) return undefined
      const { name } = first
      first.name = second.name
      second.name = name
      return { file: 0, line: 0 }
    },
  },
]

function anyPlace(choose: (below: number) => number): { file: number; line: number } {
  return places[choose(places.length)] ?? { file: 0, line: 0 }
}

function textOf(files: Files): string {
  return files.flatMap(({ lines }) => lines).join('\n')
}

function lineAt(files: Files, { file, line }: { file: number; line: number }): string {
  return files[file]?.lines[line] ?? ''
}

function isBefore(one: { file: number; line: number }, other: { file: number; line: number }): boolean {
  return one.file < other.file || (one.file === other.file && one.line < other.line)
}

async function verify(files: Files) {
  const directory = join(root, String(directories++))
  const last = written.checkpoints.at(-1)
  if (last === undefined) throw new Error('there is no checkpoint')
  try {
    return await verifyTrail([writeFiles(directory, files)], { publicKey: KEYS.publicKey, expect: last })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

describe('of a real trail', () => {
  it.each(CHANGES)('is found: $name', async ({ make }) => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat()), async (numbers) => {
        const choose = (below: number): number => Number(numbers.next().value) % Math.max(1, below)
        const files = structuredClone(written.files)
        const place = make(files, choose)
        if (place === undefined) return
        const { ok, problems } = await verify(files)
        expect(ok).toBe(false)
        expect(problems.length).toBeGreaterThan(0)
        const names = files.map(({ name }) => name)
        const where = problems.map(({ file, line }) => ({
          file: names.indexOf(file.split('/').at(-1) ?? ''),
          line: line - 1,
        }))
        // At its place, or at the first line after it that shows it.
        const first = where.reduce((one, other) => (isBefore(other, one) ? other : one))
        expect(isBefore(first, { file: place.file, line: place.line - 1 })).toBe(false)
        expect(problems.length).toBeLessThanOrEqual(6)
      }),
      { numRuns: runs(15) },
    )
  })

  it('nothing is found when nothing was changed, wherever the files stand', async () => {
    const result = await verify(structuredClone(written.files))
    expect(result).toMatchObject({ ok: true, problems: [], chains: 1 })
  })

  it('every prefix verifies by itself, and falls short of what was expected', async () => {
    for (const { file, line } of places) {
      const files = structuredClone(written.files).slice(0, file + 1)
      files.at(-1)?.lines.splice(line + 1)
      const last = files.at(-1)
      if (last !== undefined) last.name = 'audit.log'
      const { problems } = await verify(files)
      const isWhole = files.some(({ lines }) =>
        lines.some((one) => one.includes(`"hash":"${written.checkpoints.at(-1)?.hash}"}`)),
      )
      expect(problems.filter(({ kind }) => kind !== 'unsigned').map(({ kind }) => kind)).toEqual(
        isWhole ? [] : ['cut-off'],
      )
    }
  })
})
