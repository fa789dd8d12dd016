import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { closeFiles, findFiles } from '../../src/reader/files.js'
import { activeNameOf } from '../../src/reader/trail-names.js'
import { idOf, receivedLine, temporaryDirectory } from './made.js'

const OLD = 'audit-2026-03-24T17-09-35.704Z.log'
const NEWER = 'audit-2026-03-24T17-09-35.704Z-1.log'
const NEWEST = 'audit-2026-03-25T00-00-00.000Z.log'

function directoryOf(...names: string[]): string {
  const directory = temporaryDirectory()
  for (const name of names) writeFileSync(join(directory, name), `${name}\n`)
  return directory
}

let seconds = 0

/** A record as a server's run writes it; each a second after the one before. */
function record(instance: string, seq: number): string {
  const line = JSON.parse(receivedLine({ id: idOf(seq), received: seconds++ }))
  return `${JSON.stringify({ ...line, instance, seq })}\n`
}

async function namesOf(...paths: string[]): Promise<string[]> {
  const { files } = await findFiles(paths)
  await closeFiles(files)
  return files.map(({ path }) => basename(path))
}

describe('the files of a trail', () => {
  it('are the archives in the order of their times and numbers, then the active file', async () => {
    const directory = directoryOf('audit.log', NEWEST, OLD, NEWER)
    expect(await namesOf(join(directory, 'audit.log'))).toEqual([OLD, NEWER, NEWEST, 'audit.log'])
  })

  it('are found by their directory, without what else is in it', async () => {
    const directory = directoryOf(
      ...['audit.log', OLD, 'audit.log.lock', 'audit.log.torn-2026-03-24T17-09-35.704Z', 'audit.log.next'],
      ...['audit.log.hold', `${OLD}.hold`, 'audit.log.probe', 'audit.log.lock.claim-1', '.hidden.log', 'notes.txt'],
      ...['plain', 'plain.lock', 'other.jsonl.gz'],
    )
    mkdirSync(join(directory, 'folder.log'))
    writeFileSync(join(directory, 'plain'), record('a', 1))
    expect(await namesOf(directory)).toEqual(['plain', 'other.jsonl.gz', OLD, 'audit.log'])
  })

  it('are in their order in whichever one they are named, and each is there once', async () => {
    const directory = directoryOf('audit.log', NEWEST, OLD, NEWER)
    const shuffled = [NEWEST, 'audit.log', OLD, NEWER, OLD].map((name) => join(directory, name))
    expect(await namesOf(...shuffled, directory)).toEqual([OLD, NEWER, NEWEST, 'audit.log'])
  })

  it('do not have a file twice to which a rotation has given its second name', async () => {
    const directory = directoryOf('audit.log')
    linkSync(join(directory, 'audit.log'), join(directory, OLD))
    expect(await namesOf(directory)).toEqual(['audit.log'])
  })

  it('are the archives alone while there is no active file', async () => {
    const directory = directoryOf(OLD)
    expect(await namesOf(join(directory, 'audit.log'))).toEqual([OLD])
  })

  it('are one archive when it is named itself, even beside others', async () => {
    const directory = directoryOf('audit.log', OLD, NEWER)
    expect(await namesOf(join(directory, NEWER))).toEqual([NEWER])
  })

  it('belong to a trail of exactly that name', async () => {
    const directory = directoryOf('audit.log', 'audit-1.log', 'audit-1-2026-03-24T17-09-35.704Z.log', OLD)
    expect(await namesOf(join(directory, 'audit.log'))).toEqual([OLD, 'audit.log'])
    expect((await namesOf(directory)).sort()).toEqual(
      ['audit-1-2026-03-24T17-09-35.704Z.log', 'audit-1.log', OLD, 'audit.log'].sort(),
    )
  })

  it('may have any name that a sink may have', async () => {
    const directory = temporaryDirectory()
    for (const [index, name] of ['trail.2.gz', 'trail-20261130', 'trail.1', 'trail'].entries()) {
      writeFileSync(join(directory, name), record(`run-${index}`, 1))
    }
    writeFileSync(join(directory, 'trail2'), record('other', 1))
    expect(await namesOf(join(directory, 'trail'))).toEqual(['trail.2.gz', 'trail-20261130', 'trail.1', 'trail'])
  })

  it('may have any name that others make of it', () => {
    expect(activeNameOf('audit-2026-03-24T17-09-35.704Z')).toBe('audit')
    expect(activeNameOf('a-b.c-2026-03-24T17-09-35.704Z-12.jsonl')).toBe('a-b.c.jsonl')
    expect(activeNameOf(`${OLD}.gz`)).toBe('audit.log')
    expect(activeNameOf('audit-2026-02-31T17-09-35.704Z.log')).toBeUndefined()
    expect(activeNameOf('audit.log')).toBeUndefined()
  })

  it('include the active file if it is rotated after they were found', async () => {
    const directory = directoryOf('audit.log')
    const { files } = await findFiles([directory])
    renameSync(join(directory, 'audit.log'), join(directory, OLD))
    rmSync(join(directory, OLD))
    expect(files.map(({ size }) => size)).toEqual([10])
    expect(String(await files[0]?.handle?.readFile())).toBe('audit.log\n')
    await closeFiles(files)
  })
})

describe('the files that belong to an active one', () => {
  const LOGROTATE = ['audit.log.2.gz', 'audit.log.1', 'audit.log-20261130', 'audit-20261129.log', 'audit.3.log.zst']

  it('are those that are named after it, as logrotate and people do', async () => {
    const directory = temporaryDirectory()
    const names = ['audit.3.log.zst', 'audit-20261129.log', 'audit.log-20261130', 'audit.log.2.gz', 'audit.log.1']
    for (const [index, name] of names.entries()) writeFileSync(join(directory, name), record(`run-${index}`, 1))
    writeFileSync(join(directory, 'audit.log'), record('run-9', 1))
    writeFileSync(join(directory, 'audit.log.sha256'), '5f0c  audit.log.1\n')
    for (const path of ['audit.log', ...LOGROTATE].map((name) => join(directory, name))) {
      expect(await namesOf(path)).toEqual(path.endsWith('audit.log') ? [...names, 'audit.log'] : [basename(path)])
    }
  })

  it('are those in which its instances go on, whatever their names', async () => {
    const directory = temporaryDirectory()
    const put = (name: string, ...records: string[]): void => writeFileSync(join(directory, name), records.join(''))
    put('copy.log', record('b', 4), record('b', 9))
    put('first', record('a', 1), record('a', 2))
    put('other', record('z', 1))
    writeFileSync(join(directory, 'second.bin'), gzipSync(record('a', 3) + record('b', 1)))
    put('third', record('a', 4), record('b', 2))
    put('audit.log', record('b', 3), record('b', 8))
    expect(await namesOf(join(directory, 'audit.log'))).toEqual(['first', 'second.bin', 'third', 'audit.log'])
  })

  it('are in the order of their numbers when the clock was set back in between', async () => {
    const directory = temporaryDirectory()
    const [late, early] = [record('a', 7), record('a', 1)]
    writeFileSync(join(directory, NEWEST), early)
    writeFileSync(join(directory, OLD), late)
    expect(await namesOf(directory)).toEqual([NEWEST, OLD])
  })
})

describe('an unreadable file', () => {
  async function reasonsOf(path: string): Promise<Record<string, string>> {
    const { files, unreadable } = await findFiles([path])
    await closeFiles(files)
    return Object.fromEntries(unreadable.map(({ path, reason }) => [basename(path), reason]))
  }

  it('is named where it may be a part of the trail, and nothing waits for it', async () => {
    const directory = directoryOf('audit.log', 'notes.txt')
    execFileSync(
      'mkfifo',
      ['pipe.log', 'other'].map((name) => join(directory, name)),
    )
    symlinkSync('nowhere', join(directory, 'audit.log.1'))
    symlinkSync('audit.log.2', join(directory, 'audit.log.2'))
    writeFileSync(join(directory, 'x'), Buffer.from('425a6839', 'hex'))
    writeFileSync(join(directory, 'audit.log.3.br'), Buffer.from('8b0780', 'hex'))
    writeFileSync(join(directory, '.DS_Store'), Buffer.alloc(9))
    writeFileSync(join(directory, '.x'), Buffer.from('fd377a585a00', 'hex'))
    writeFileSync(join(directory, 'audit.log.4.gz'), gzipSync('x').subarray(0, 15))
    const named = {
      'audit.log.1': expect.stringContaining('a link'),
      'audit.log.2': expect.stringContaining('a link'),
      'audit.log.3.br': expect.stringContaining('neither text nor'),
      'audit.log.4.gz': 'unexpected end of file',
    }
    const others = {
      'pipe.log': expect.stringContaining('not a regular file'),
      x: expect.stringContaining('compressed by bzip2'),
      '.x': expect.stringContaining('compressed by xz'),
    }
    expect(await reasonsOf(directory)).toEqual({ ...named, ...others })
    expect(await reasonsOf(join(directory, 'audit.log'))).toEqual(named)
    expect(await reasonsOf(join(directory, 'pipe.log'))).toMatchObject({ 'pipe.log': others['pipe.log'] })
  })

  it('is not named if it is there uncompressed as well', async () => {
    const directory = directoryOf('audit.log.1')
    writeFileSync(join(directory, 'audit.log.1.gz'), gzipSync('x').subarray(0, 15))
    expect(await reasonsOf(directory)).toEqual({})
  })
})

describe('a path without a trail', () => {
  it('is a path at which there is nothing', async () => {
    const path = join(temporaryDirectory(), 'audit.log')
    await expect(namesOf(path)).rejects.toMatchObject({
      code: 'FST_AUDIT_NO_TRAIL',
      message: expect.stringContaining(path),
    })
  })

  it('is a directory without one', async () => {
    await expect(namesOf(directoryOf('notes.txt'))).rejects.toMatchObject({ code: 'FST_AUDIT_NO_TRAIL' })
  })

  it('is a file in a directory that does not exist', async () => {
    const path = join(temporaryDirectory(), 'none', 'audit.log')
    await expect(namesOf(path)).rejects.toMatchObject({ code: 'FST_AUDIT_NO_TRAIL' })
  })
})
