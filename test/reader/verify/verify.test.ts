import { createHash, generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import Fastify from 'fastify'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import audit, { memorySink, type VerifyOptions, type VerifyResult, verifyTrail } from '../../../src/index.js'
import {
  type Files,
  KEYS,
  readTrailFiles,
  type WrittenTrail,
  writeFiles,
  writeTrail,
} from '../../delivery/seal/sealed-trail.js'
import { validateLine } from '../../support/schema.js'

const SECRET = 'a secret of at least thirty-two bytes'
let root: string
let written: WrittenTrail

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'verify-'))
  // Three runs, some 20 requests, files of a few lines each.
  written = await writeTrail(join(root, 'original'), [9, 3, 9], { rotateBytes: 5000, privateKey: KEYS.privateKey })
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

function directory(): string {
  const path = mkdtempSync(join(root, 'case-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Verifies a copy of the trail that `edit` has changed. */
async function verifyEdited(
  edit: (files: Files) => Files | undefined,
  options: VerifyOptions = {},
): Promise<VerifyResult> {
  const files = structuredClone(written.files)
  const edited = edit(files) ?? files
  return verifyTrail([writeFiles(directory(), edited)], options)
}

function lineOf(files: Files, file: number, line: number): string {
  const found = files[file]?.lines[line - 1]
  if (found === undefined) throw new Error(`there is no line ${line} in file ${file}`)
  return found
}

/** Kind and place, with the file by its name. */
function found({ problems }: VerifyResult): string[] {
  return problems.map(
    ({ kind, file, line, to }) => `${kind} ${file.split('/').at(-1)}:${line}${to === line ? '' : `-${to}`}`,
  )
}

const NAMES = () => written.files.map(({ name }) => name)

describe('a trail as it was written', () => {
  it('verifies, over rotation and restarts', async () => {
    const result = await verifyEdited(() => undefined, {
      publicKey: KEYS.publicKey,
      expect: written.checkpoints.at(-1) ?? '',
    })
    expect(found(result)).toEqual([])
    expect(result).toMatchObject({ ok: true, chains: 1, unsealed: 0, torn: 0, unsignedLines: 0 })
    expect(result.files.length).toBeGreaterThan(4)
    expect(result.sealed).toBe(result.lines)
    expect(result.checkpoints).toBe(written.checkpoints.length)
    expect(result.holds.map(({ from, to }) => [from, to])).toEqual(result.files.map(({ lines }) => [1, lines]))
  })

  it('has only lines that are valid by the schema', () => {
    for (const { lines } of written.files) for (const line of lines) validateLine(line)
  })

  it('can be verified by hand', async () => {
    let prev = '0'.repeat(64)
    for (const line of written.files.flatMap(({ lines }) => lines)) {
      const [, hash = ''] = /,"hash":"(\w+)"\}$/.exec(line) ?? []
      expect(
        createHash('sha256')
          .update(line.replace(/,"hash":"\w+"\}$/, '}'))
          .digest('hex'),
      ).toBe(hash)
      expect(JSON.parse(line)).toMatchObject({ prev, hash })
      prev = hash
    }
  })

  it('verifies from compressed archives, in any order of paths', async () => {
    const place = directory()
    writeFiles(place, written.files)
    for (const { name, lines } of written.files.slice(0, -1)) {
      writeFileSync(join(place, `${name}.gz`), gzipSync(lines.map((line) => `${line}\n`).join('')))
      rmSync(join(place, name))
    }
    const result = await verifyTrail([join(place, 'audit.log')])
    expect(found(result)).toEqual([])
    expect(result.lines).toBe(written.files.flatMap(({ lines }) => lines).length)
  })

  it('verifies with the secret that it was sealed with, and with that alone', async () => {
    const place = directory()
    await writeTrail(place, [3, 3], { secret: SECRET, rotateBytes: 3000 })
    const paths = [join(place, 'audit.log')]
    expect(found(await verifyTrail(paths, { secret: SECRET }))).toEqual([])
    expect((await verifyTrail(paths, { secret: `${SECRET}!` })).problems.map(({ kind }) => kind)).toEqual(['key'])
    expect((await verifyTrail(paths)).problems.map(({ kind }) => kind)).toEqual(['key'])
  })

  it('verifies with each secret that it was sealed with in turn', async () => {
    const place = directory()
    const other = `${SECRET} 2`
    await writeTrail(place, [2], { secret: SECRET, keyId: 'a' })
    await writeTrail(place, [2], { secret: other, keyId: 'b' })
    const paths = [join(place, 'audit.log')]
    expect(
      found(
        await verifyTrail(paths, {
          secret: [
            { keyId: 'a', secret: SECRET },
            { keyId: 'b', secret: other },
          ],
        }),
      ),
    ).toEqual([])
    expect((await verifyTrail(paths, { secret: SECRET })).ok).toBe(false)
  })
})

describe('several trails', () => {
  it('are verified one by one, and one without a seal is said to have none', async () => {
    const place = directory()
    writeFiles(place, written.files)
    await writeTrail(join(place, 'other'), [3], {})
    renameSync(join(place, 'other', 'audit.log'), join(place, 'other.log'))
    expect(found(await verifyTrail([place]))).toEqual([])
    writeFileSync(join(place, 'third.log'), '{"a":1}\n{"a":2}\n')
    const result = await verifyTrail([place])
    expect(found(result)).toEqual(['nothing-sealed third.log:0'])
    expect(result).toMatchObject({ chains: 2, unsealed: 2 })
  })

  it('are each held to the public key', async () => {
    const place = directory()
    writeFiles(place, written.files)
    await writeTrail(join(place, 'made-up'), [3], {})
    renameSync(join(place, 'made-up', 'audit.log'), join(place, 'a.log'))
    const result = await verifyTrail([place], { publicKey: KEYS.publicKey })
    expect(found(result)).toEqual(['unsigned a.log:0'])
    expect(result.unsignedLines).toBe(result.files.find(({ path }) => path.endsWith('a.log'))?.lines)
  })

  it('in one file, of a sink that cannot tell its last stored line, are signed one by one', async () => {
    const place = directory()
    const sink = memorySink()
    for (const privateKey of [undefined, KEYS.privateKey]) {
      const app = Fastify()
      // Without `tail`.
      const stream = { write: sink.write.bind(sink) }
      const seal = privateKey === undefined ? true : { privateKey }
      await app.register(audit, { sinks: [{ name: 'test', sink: stream, seal }] })
      await app.ready()
      await app.close()
    }
    const path = join(place, 'audit.log')
    writeFileSync(path, sink.lines.map((line) => `${line}\n`).join(''))
    const result = await verifyTrail([path], { publicKey: KEYS.publicKey })
    expect(result).toMatchObject({ ok: true, chains: 2, checkpoints: 1, unsignedLines: 3 })
  })
})

describe('a change is found and located', () => {
  it('of one byte, and the parts that still hold are named', async () => {
    const result = await verifyEdited((files) => {
      const line = lineOf(files, 1, 3)
      files[1]?.lines.splice(2, 1, line.replace('"version":1', '"version":2'))
    })
    expect(found(result)).toEqual([`altered ${NAMES()[1]}:3`])
    const here = result.holds.filter(({ file }) => file.endsWith(NAMES()[1] ?? ''))
    expect(here.map(({ from, to }) => [from, to])).toEqual([
      [1, 2],
      [4, written.files[1]?.lines.length],
    ])
  })

  it('of a line that was removed', async () => {
    const result = await verifyEdited((files) => void files[1]?.lines.splice(2, 1))
    expect(found(result)).toEqual([`missing ${NAMES()[1]}:3`])
  })

  it('of a line that was repeated', async () => {
    const result = await verifyEdited((files) => void files[1]?.lines.splice(3, 0, lineOf(files, 0, 2)))
    expect(found(result)).toEqual([`duplicated ${NAMES()[1]}:4`])
  })

  it('of two lines that were swapped', async () => {
    const result = await verifyEdited(
      (files) => void files[1]?.lines.splice(1, 2, lineOf(files, 1, 3), lineOf(files, 1, 2)),
    )
    expect(found(result)).toEqual([`moved ${NAMES()[1]}:2`])
  })

  it('of a line that was moved ahead, or back', async () => {
    const back = await verifyEdited((files) => {
      const [line = ''] = files[1]?.lines.splice(1, 1) ?? []
      files[2]?.lines.splice(3, 0, line)
    })
    expect(found(back)).toEqual([`moved ${NAMES()[1]}:2`])
    const ahead = await verifyEdited((files) => {
      const [line = ''] = files[2]?.lines.splice(3, 1) ?? []
      files[1]?.lines.splice(1, 0, line)
    })
    expect(found(ahead)).toEqual([`moved ${NAMES()[1]}:2`])
  })

  it('of a line that is no part of any chain', async () => {
    const result = await verifyEdited((files) => void files[1]?.lines.splice(2, 0, '{"a":1}'))
    expect(found(result)).toEqual([`unsealed ${NAMES()[1]}:3`])
  })

  it('of a line that was made up, hash and all', async () => {
    const result = await verifyEdited((files) => {
      const { hash } = JSON.parse(lineOf(files, 1, 2))
      const content = `{"made":"up","prev":"${hash}"`
      const own = createHash('sha256').update(`${content}}`).digest('hex')
      files[1]?.lines.splice(2, 0, `${content},"hash":"${own}"}`)
    })
    expect(found(result)).toEqual([`inserted ${NAMES()[1]}:3`])
  })

  it('of a file that was removed', async () => {
    const result = await verifyEdited((files) => files.filter((_, index) => index !== 2))
    expect(found(result)).toContain(`missing ${NAMES()[3]}:1`)
  })

  it('of a first file that was removed', async () => {
    const result = await verifyEdited((files) => files.slice(1))
    expect(found(result)).toContain(`begins-in-the-middle ${NAMES()[1]}:1`)
  })

  it('of a file that was renamed, or that changed its name with another one', async () => {
    const place = directory()
    const path = writeFiles(place, written.files)
    const [, one = '', two = ''] = NAMES()
    renameSync(join(place, one), join(place, 'other.log'))
    expect((await verifyTrail([path])).ok).toBe(false)
    const listed = await verifyTrail([path, join(place, 'other.log')])
    expect(listed.problems.map(({ kind }) => kind)).toEqual(['renamed'])
    renameSync(join(place, two), join(place, one))
    renameSync(join(place, 'other.log'), join(place, two))
    const swapped = await verifyTrail([path])
    expect(swapped.problems.map(({ kind }) => kind)).toEqual(['renamed'])
  })

  it('of a tail that was cut off, against a checkpoint that was kept elsewhere', async () => {
    const cut = (files: Files) => void files.at(-1)?.lines.splice(-2)
    expect(found(await verifyEdited(cut))).toEqual([])
    const [checkpoint] = written.checkpoints.slice(-1)
    const result = await verifyEdited(cut, { expect: JSON.stringify(checkpoint) })
    expect(result.problems.map(({ kind }) => kind)).toEqual(['cut-off'])
    expect((await verifyEdited(cut, { expect: checkpoint?.hash })).ok).toBe(false)
  })

  it('of another chain that was put in the place of the rest', async () => {
    const place = directory()
    const other = await writeTrail(place, [9], {})
    for (const from of [0, 4]) {
      const result = await verifyEdited((files) => {
        files.at(-1)?.lines.splice(3, Number.POSITIVE_INFINITY, ...(other.files[0]?.lines.slice(from) ?? []))
      })
      expect(found(result)).toEqual([`${from === 0 ? 'begins-anew' : 'missing'} audit.log:4`])
    }
  })

  it('of a rest that was written anew, hashes and all, against the checkpoints in it', async () => {
    const rewritten = (files: Files) => {
      let prev = ''
      for (const [index, { lines }] of files.entries()) {
        if (index === 0) prev = JSON.parse(lines[2] ?? '').prev
        for (const [number, line] of lines.entries()) {
          if (index === 0 && number < 2) continue
          const content = `${line.replace('/jobs/', '/gobs/').replace(/,"prev":"\w+","hash":"\w+"\}$/, '')},"prev":"${prev}"`
          prev = createHash('sha256').update(`${content}}`).digest('hex')
          lines[number] = `${content},"hash":"${prev}"}`
        }
      }
      return files
    }
    const { problems } = await verifyEdited(rewritten, { publicKey: KEYS.publicKey })
    expect(problems.map(({ kind }) => kind)).toEqual([...written.checkpoints.map(() => 'signature'), 'unsigned'])
    // Removing the checkpoints as well is found by a checkpoint that was kept elsewhere.
    const without = (files: Files) =>
      rewritten(
        files.map(({ name, lines }) => ({
          name,
          lines: lines.filter((line) => !line.includes('"type":"checkpoint"')),
        })),
      )
    expect(found(await verifyEdited(without))).toEqual([])
    const kept = written.checkpoints.at(-1) ?? ''
    expect((await verifyEdited(without, { expect: kept })).problems.map(({ kind }) => kind)).toEqual(['cut-off'])
  })

  it('of removed lines before a checkpoint, although a forged seal entry after it explains them', async () => {
    const hashOf = (line = '') => line.slice(-66, -2)
    const { problems } = await verifyEdited((files) => {
      const [, removed] = files[1]?.lines.splice(1, 2) ?? []
      const lines = files.at(-1)?.lines ?? []
      const { prev, hash, ...entry } = JSON.parse(lines.at(-1) ?? '')
      const seal = { sink: 'audit', chain: 'resumed', algorithm: 'sha256', dropped: [hashOf(removed)] }
      const payload = { id: entry.payload.id, type: 'seal', timestamp: entry.created_at, version: 1, seal }
      const content = `${JSON.stringify({ ...entry, payload }).slice(0, -1)},"prev":"${hash}"`
      lines.push(`${content},"hash":"${createHash('sha256').update(`${content}}`).digest('hex')}"}`)
    })
    expect(problems.map(({ kind }) => kind)).toEqual(['missing'])
  })

  it('of a key', async () => {
    const place = directory()
    const stranger = generateKeyPairSync('ed25519')
    await writeTrail(place, [2], { privateKey: KEYS.privateKey })
    await writeTrail(place, [2], { privateKey: stranger.privateKey })
    const lines = readTrailFiles(place)[0]?.lines ?? []
    const result = await verifyTrail([join(place, 'audit.log')], { publicKey: KEYS.publicKey })
    expect(found(result)).toEqual([`signature audit.log:${lines.length}`])
    expect(result).toMatchObject({ ok: false, checkpoints: 1 })
  })

  it('of a secret that is no longer used', async () => {
    const place = directory()
    await writeTrail(place, [2], { secret: SECRET })
    const { length } = readTrailFiles(place)[0]?.lines ?? []
    await writeTrail(place, [2], {})
    const result = await verifyTrail([join(place, 'audit.log')], { secret: SECRET })
    expect(found(result)).toEqual([`key audit.log:${length + 1}-${readTrailFiles(place)[0]?.lines.length}`])
    // Lines that anybody may have written must not become a later `expect`.
    expect(result.last).toMatchObject({ line: length })
  })

  it('of an archive that is damaged', async () => {
    const place = directory()
    const path = writeFiles(place, written.files)
    const { name = '', lines = [] } = written.files[1] ?? {}
    const zipped = gzipSync(lines.map((line) => `${line}\n`).join(''))
    writeFileSync(join(place, `${name}.gz`), zipped.subarray(0, zipped.length - 20))
    rmSync(join(place, name))
    const result = await verifyTrail([path])
    expect(result.problems[0]).toMatchObject({ kind: 'unreadable' })
  })

  it('of an archive that cannot be read, and the others are still verified', async () => {
    const place = directory()
    const path = writeFiles(place, written.files)
    const name = NAMES()[1] ?? ''
    rmSync(join(place, name))
    mkdirSync(join(place, name))
    const result = await verifyTrail([path])
    expect(found(result)).toEqual([`unreadable ${name}:0`, `missing ${NAMES()[2]}:1`])
    expect(result.holds).toHaveLength(written.files.length - 1)
  })
})
