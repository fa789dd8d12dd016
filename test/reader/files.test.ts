import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { activeNameOf, closeFiles, findFiles } from '../../src/reader/files.js'
import { temporaryDirectory } from './made.js'

const OLD = 'audit-2026-03-24T17-09-35.704Z.log'
const NEWER = 'audit-2026-03-24T17-09-35.704Z-1.log'
const NEWEST = 'audit-2026-03-25T00-00-00.000Z.log'

function directoryOf(...names: string[]): string {
  const directory = temporaryDirectory()
  for (const name of names) writeFileSync(join(directory, name), `${name}\n`)
  return directory
}

async function namesOf(...paths: string[]): Promise<string[]> {
  const files = await findFiles(paths)
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
    expect(await namesOf(directory)).toEqual([OLD, 'audit.log', 'other.jsonl.gz', 'plain'])
  })

  it('are in their order in whichever one they are named, and each is there once', async () => {
    const directory = directoryOf('audit.log', NEWEST, OLD, NEWER)
    const shuffled = [NEWEST, 'audit.log', OLD, NEWER, OLD].map((name) => join(directory, name))
    expect(await namesOf(...shuffled, directory)).toEqual([OLD, NEWER, NEWEST, 'audit.log'])
  })

  it('do not have an archive twice that is compressed and not yet deleted', async () => {
    const directory = directoryOf(OLD, NEWEST, 'audit.log')
    writeFileSync(join(directory, `${OLD}.gz`), gzipSync('half'))
    writeFileSync(join(directory, `${NEWER}.gz`), gzipSync('whole'))
    expect(await namesOf(directory)).toEqual([OLD, `${NEWER}.gz`, NEWEST, 'audit.log'])
  })

  it('do not have a file twice to which a rotation has given its second name', async () => {
    const directory = directoryOf('audit.log')
    linkSync(join(directory, 'audit.log'), join(directory, OLD))
    expect(await namesOf(directory)).toEqual([OLD])
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
    expect(await namesOf(directory)).toEqual(['audit-1-2026-03-24T17-09-35.704Z.log', 'audit-1.log', OLD, 'audit.log'])
  })

  it('may have any name that a sink may have', () => {
    expect(activeNameOf('audit-2026-03-24T17-09-35.704Z')).toBe('audit')
    expect(activeNameOf('a-b.c-2026-03-24T17-09-35.704Z-12.jsonl')).toBe('a-b.c.jsonl')
    expect(activeNameOf(`${OLD}.gz`)).toBe('audit.log')
    expect(activeNameOf('audit-2026-02-31T17-09-35.704Z.log')).toBeUndefined()
    expect(activeNameOf('audit.log')).toBeUndefined()
  })

  it('keep what was active when it is rotated after they were found', async () => {
    const directory = directoryOf('audit.log')
    const files = await findFiles([directory])
    renameSync(join(directory, 'audit.log'), join(directory, OLD))
    rmSync(join(directory, OLD))
    expect(files.map(({ size }) => size)).toEqual([10])
    expect(String(await files[0]?.handle?.readFile())).toBe('audit.log\n')
    await closeFiles(files)
  })
})

describe('what is no trail', () => {
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

  it('is a pipe, which would be waited for', async () => {
    const path = join(temporaryDirectory(), 'pipe')
    execFileSync('mkfifo', [path])
    await expect(namesOf(path)).rejects.toThrow(/not a regular file/)
  })

  it('is an archive in a directory that is none', async () => {
    await expect(namesOf(join(temporaryDirectory(), 'none', 'audit.log'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
