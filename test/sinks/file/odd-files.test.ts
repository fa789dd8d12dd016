import { execFileSync } from 'node:child_process'
import { constants, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ArchiveNames, stamp } from '../../../src/sinks/file/names.js'
import { entry, linesOf, START, type World, world } from './world.js'

const ARCHIVE = new ArchiveNames('audit.log').name(START - 1000, 0)

/** Puts something odd at a path. */
type Odd = (path: string, all: World) => void | Promise<void>

const KINDS: Record<string, Odd> = {
  'a pipe': (path) => void execFileSync('mkfifo', [path]),
  'a pipe that takes the place of a file before it is opened': (path, { fs }) => {
    execFileSync('mkfifo', [path])
    const { lstat } = fs
    fs.lstat = async (asked) => ({ ...(await lstat(asked)), ...(asked === path && { kind: 'file' }) })
  },
  'a directory': (path) => mkdirSync(path),
  'a socket': (path) => {
    const server = createServer()
    onTestFinished(() => void server.close())
    return new Promise((resolve) => server.listen(path, resolve))
  },
  'a link that leads nowhere': (path) => symlinkSync('nowhere', path),
  'a symbolic link': (path, { directory }) => {
    writeFileSync(join(directory, 'other'), '{"text":"other"}\n')
    symlinkSync('other', path)
  },
  'a device': (path, { fs }) => {
    writeFileSync(path, '')
    const { lstat } = fs
    fs.lstat = async (asked) => ({ ...(await lstat(asked)), ...(asked === path && { kind: 'device' }) })
  },
  'a file that may not be read': (path, { fs }) => {
    writeFileSync(path, '')
    const open = fs.open.bind(fs)
    fs.open = async (asked, flags, mode) => {
      const isDenied = asked === path && existsSync(path) && (flags & constants.O_EXCL) === 0
      if (isDenied) throw Object.assign(new Error(`EACCES: permission denied, open '${path}'`), { code: 'EACCES' })
      return open(asked, flags, mode)
    }
  },
}

/** The places of the odd file, each with its effect on the boot. */
const PLACES: Record<string, (kind: string) => 'refuses' | 'goes on'> = {
  'audit.log': () => 'refuses',
  'audit.log.lock': () => 'refuses',
  'audit.log.next': () => 'goes on',
  'audit.log.probe': () => 'goes on',
  'audit.log.hold': () => 'goes on',
  [`audit.log.torn-${stamp(START)}`]: () => 'goes on',
  [ARCHIVE]: (kind) => (kind.endsWith('may not be read') ? 'refuses' : 'goes on'),
}

const CASES = Object.entries(PLACES).flatMap(([place, expected]) =>
  Object.keys(KINDS).map((kind) => [expected(kind), kind, place] as const),
)

/** Expects a sealed trail to be usable: it stores, rotates, and works again after a failure. */
async function expectUsable({ sink, context, fs, clock, names, texts }: World): Promise<void> {
  const made = sink({ sealed: true, rotateBytes: 1, rotateMaxFiles: 1 })
  await made.open?.(context)
  await made.tail?.()
  await made.write([entry('a'), entry('a')])
  fs.plan({ op: 'write', code: 'ENOSPC' })
  await expect(made.write([entry('b')])).rejects.toThrow()
  clock.advance(1000)
  await made.idle?.()
  await made.write([entry('c'), entry('c')])
  const files = names().filter((name) => /^audit(?:\.log|-.*)$/.test(name) && name !== ARCHIVE)
  expect(files.flatMap((name) => texts(name)).sort()).toEqual(['a', 'a', 'c', 'c'])
}

describe('something odd in the place of a file of ours', () => {
  it.each(CASES)('%s: %s as %s', async (expected, kind, place) => {
    const all = world()
    const at = join(all.directory, place)
    if (place.includes('torn')) writeFileSync(all.path, 'torn')
    await KINDS[kind]?.(at, all)
    if (expected === 'goes on') return expectUsable(all)
    const refused = all.sink({ sealed: true }).open?.(all.context)
    await expect(refused).rejects.toMatchObject({ code: 'FST_AUDIT_SINK_OPEN_FAILED' })
    await expect(refused).rejects.toThrow(at)
    // Nothing is left in the way of the next start.
    rmSync(at, { recursive: true, force: true })
    await all.opened()
  })

  it('says what is in the way of which file', async () => {
    const all = world()
    mkdirSync(`${all.path}.lock`)
    await expect(all.opened()).rejects.toThrow(
      /in the way of a file that this sink keeps beside it\. Move it elsewhere\. \(.*audit\.log\.lock is a directory\)$/,
    )
  })

  it('names an archive that is passed over when the last line is looked for', async () => {
    const all = world()
    writeFileSync(join(all.directory, new ArchiveNames('audit.log').name(START - 2000, 0)), 'last\n')
    mkdirSync(join(all.directory, ARCHIVE))
    const sink = await all.opened({ sealed: true })
    expect(await sink.tail?.()).toBe('last')
    expect(all.logged).toContain('a directory has the name of an archive; it is passed over')
    expect(linesOf(all.read())).toEqual([])
  })
})

describe('a directory that cannot be made', () => {
  it.each(['EROFS', 'EACCES'])('stops the boot with %s', async (code) => {
    const { fs, sink, context, directory } = world()
    // Linux answers so if one or more parents are missing.
    fs.plan({ op: 'mkdir', on: directory, code, times: 10 })
    fs.plan({ op: 'mkdir', on: '/a', code, times: 10 })
    const refused = sink({ path: join(directory, 'a/b/c/audit.log') }).open?.(context)
    await expect(refused).rejects.toMatchObject({ code: 'FST_AUDIT_SINK_OPEN_FAILED' })
    await expect(refused).rejects.toThrow(code)
  })

  it('stops the boot where a link on the way leads nowhere', async () => {
    const { sink, context, directory } = world()
    symlinkSync('nowhere', join(directory, 'link'))
    const refused = sink({ path: join(directory, 'link/audit.log') }).open?.(context)
    await expect(refused).rejects.toMatchObject({ code: 'FST_AUDIT_SINK_OPEN_FAILED' })
    await expect(refused).rejects.toThrow('a link that leads nowhere')
  })
})
