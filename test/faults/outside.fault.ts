import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest'
import { temporaryDirectory } from '../sinks/file/world.js'
import { expectCounted, expectRecorded, type Line, readLines, readTrail } from './books.js'
import { type Served, serve } from './server.js'
import { statuses } from './traffic.js'
import { ifPermitted, mountVolume, run } from './volume.js'

async function served(): Promise<Served> {
  const started = await serve(join(temporaryDirectory(), 'audit', 'audit.log'))
  await started.traffic.burst(20)
  return started
}

/** Whether the server's log has a line with this text, soon. */
async function expectLogged({ logged }: Served, text: string): Promise<void> {
  await expect.poll(() => logged.filter((message) => message.includes(text))).toHaveLength(1)
}

/**
 * Closes the server; its answers, all of them, are in these lines and the file at its path, in this order. Some of those
 * lines may be `taken`, as the sink cannot know that somebody has kept them: counted, and told in the trail.
 */
async function expectWhole(
  { app, traffic, path, unrecorded }: Served,
  before: readonly Line[],
  { taken = false } = {},
): Promise<void> {
  expect(statuses(await traffic.burst(20))).toEqual([200])
  await app.close()
  const lines = [...before, ...readTrail(path)]
  expectRecorded(traffic.answers, lines)
  const stats = app.audit.stats().sinks.audit
  expect((stats?.inDoubt ?? 0) > 0).toBe(taken)
  expectCounted(lines, stats, stats?.inDoubt)
  expect(unrecorded.slice(0, 5)).toEqual([])
}

describe('while a server runs, its audit file', () => {
  it('is renamed: lines go on there for a second at most, then to a new file, and none is lost', async () => {
    const all = await served()
    const moved = `${all.path}.1`
    await all.traffic.during(async () => {
      renameSync(all.path, moved)
      await expectLogged(all, 'was moved away by somebody else')
    })
    expect(statuses(all.traffic.answers)).toEqual([200])
    await expectWhole(all, readLines(moved))
  })

  it('is renamed, and reopen() is called: the very next line is in a new file', async () => {
    const all = await served()
    const moved = `${all.path}.1`
    renameSync(all.path, moved)
    await all.app.audit.reopen()
    const size = readFileSync(moved).byteLength
    await all.traffic.burst(20)
    expect(readFileSync(moved).byteLength).toBe(size)
    await expectWhole(all, readLines(moved))
  })

  it('is renamed and another one is put there: lines go on behind those of the other', async () => {
    const all = await served()
    const moved = `${all.path}.1`
    await all.traffic.during(async () => {
      renameSync(all.path, moved)
      writeFileSync(all.path, '')
      await expectLogged(all, 'was replaced by somebody else')
    })
    await expectWhole(all, readLines(moved))
  })

  it('is deleted: it is reported, and what is stored from then on is in a new one', async () => {
    const all = await served()
    all.isLooking = false
    const deleted = openSync(all.path, 'r')
    await all.traffic.during(async () => {
      unlinkSync(all.path)
      await expectLogged(all, 'was deleted by somebody else')
    })
    // Whoever still has it open can see that all the rest is there.
    const gone = readLines(deleted)
    closeSync(deleted)
    await expectWhole(all, gone, { taken: true })
  })

  it('is copied and truncated: it is reported, and lines go on from the beginning', async () => {
    const all = await served()
    const copy = `${all.path}.copy`
    await all.traffic.during(async () => {
      copyFileSync(all.path, copy)
      truncateSync(all.path, 0)
      await expectLogged(all, 'was changed by somebody else')
    })
    expect(statuses(all.traffic.answers)).toEqual([200])
    await expectWhole(all, readLines(copy), { taken: true })
  })

  it.each([
    ['a directory', (path: string) => mkdirSync(path), (path: string) => rmdirSync(path), 'EISDIR'],
    ['a symbolic link', (path: string) => symlinkSync('target', path), (path: string) => unlinkSync(path), 'ELOOP'],
    ['a pipe', (path: string) => run('mkfifo', path), (path: string) => unlinkSync(path), 'ENOTREG'],
  ])('is replaced by %s: requests are refused until that is gone', async (_name, put, remove, code) => {
    const all = await served()
    const target = join(dirname(all.path), 'target')
    writeFileSync(target, 'not ours')
    const moved = `${all.path}.1`
    await all.traffic.during(async () => {
      renameSync(all.path, moved)
      put(all.path)
      await expect.poll(() => all.app.audit.healthy).toBe(false)
    })
    expect(all.errors.at(-1)).toContain(`${all.path}: ${code}`)
    expect(statuses(await all.traffic.burst(20))).toEqual([503])
    expect(readFileSync(target, 'utf8')).toBe('not ours')
    remove(all.path)
    expect(await all.traffic.send()).toMatchObject({ status: 200 })
    await expectWhole(all, readLines(moved))
  })

  it('is locked by a file that is removed: it is locked again, and no request is refused', async () => {
    const all = await served()
    await all.traffic.during(async () => {
      unlinkSync(`${all.path}.lock`)
      await expectLogged(all, 'the lock of the audit file was taken by another process, or removed')
      await expect.poll(() => existsSync(`${all.path}.lock`)).toBe(true)
    })
    expect(statuses(all.traffic.answers)).toEqual([200])
    await expectWhole(all, [])
  })

  it('loses its directory: that is made again, and nothing is missing but what went with it', async () => {
    const all = await served()
    all.isLooking = false
    const moved = `${dirname(all.path)}-moved`
    await all.traffic.during(async () => {
      renameSync(dirname(all.path), moved)
      await expect.poll(() => existsSync(all.path)).toBe(true)
    })
    expect(statuses(all.traffic.answers)).toEqual([200])
    expect(readdirSync(dirname(all.path)).sort()).toEqual(['audit.log', 'audit.log.lock'])
    await expectWhole(all, readLines(join(moved, 'audit.log')))
  })
})

describe('while a server runs, a permission is withdrawn', () => {
  it('to append to the file: requests are refused until it is given back', async (context) => {
    const all = await serve(join(mountVolume(context, 'ext4').directory, 'audit.log'))
    makeImmutable(context, all.path)
    expect(statuses(await all.traffic.burst(20))).toEqual([503])
    expect(all.app.audit.healthy).toBe(false)
    expect(all.errors.at(-1)).toContain('EPERM')
    run('chattr', '-i', all.path)
    expect(await all.traffic.send()).toMatchObject({ status: 200 })
    await expectWhole(all, [])
  })

  it('to make files beside it: it cannot be rotated, and every request is served', async (context) => {
    const path = join(mountVolume(context, 'ext4').directory, 'audit', 'audit.log')
    const all = await serve(path, { rotateBytes: 5000 })
    makeImmutable(context, dirname(path))
    expect(statuses(await all.traffic.burst(40))).toEqual([200])
    await expectLogged(all, 'the audit file cannot be rotated')
    expect(readdirSync(dirname(path)).sort()).toEqual(['audit.log', 'audit.log.lock'])
    run('chattr', '-i', dirname(path))
    await expectLogged(all, 'no longer: the audit file cannot be rotated')
    await expectWhole(all, [])
  })

  it('to look into its directory: requests are refused until it is given back', async (context) => {
    const directory = temporaryDirectory()
    const path = join(directory, 'audit', 'audit.log')
    becomeNobody(context, directory)
    const all = await serve(path)
    all.isLooking = false
    await all.traffic.during(async () => {
      chmodSync(dirname(path), 0o000)
      await expect.poll(() => all.app.audit.healthy).toBe(false)
    })
    expect(statuses(await all.traffic.burst(20))).toEqual([503])
    expect(all.errors.at(-1)).toContain('EACCES')
    chmodSync(dirname(path), 0o700)
    expect(await all.traffic.send()).toMatchObject({ status: 200 })
    await expectWhole(all, [])
  })

  it('to open the file: lines go on as long as it is open, and after reopen() they are refused', async (context) => {
    const directory = temporaryDirectory()
    becomeNobody(context, directory)
    const all = await serve(join(directory, 'audit.log'))
    all.isLooking = false
    chmodSync(all.path, 0o000)
    expect(statuses(await all.traffic.burst(20))).toEqual([200])
    await expect(all.app.audit.reopen()).rejects.toThrow(`${all.path}: EACCES`)
    expect(statuses(await all.traffic.burst(20))).toEqual([503])
    chmodSync(all.path, 0o600)
    expect(await all.traffic.send()).toMatchObject({ status: 200 })
    await expectWhole(all, [])
  })
})

describe('while a server runs, its disk fails', () => {
  it('and is read-only from then on: requests are refused until it is mounted anew, and what was synced is there', async (context) => {
    const volume = mountVolume(context, 'ext4')
    const path = join(volume.directory, 'audit', 'audit.log')
    const all = await serve(path, { fsync: true })
    await all.traffic.during(async () => {
      expect(statuses(await all.traffic.burst(40))).toEqual([200])
      volume.abort()
      expect(statuses(await all.traffic.burst(40))).toEqual([503])
    })
    expect(all.errors.at(-1)).toContain('EROFS')
    volume.unmount()
    // Where the mount was is nothing that can be written to, as it should be.
    writeFileSync(dirname(path), '')
    await expect.poll(() => volume.isInUse()).toBe(false)
    expect(statuses(await all.traffic.burst(40))).toEqual([503])
    volume.mountAgain()
    // The lock was not synced: there is no telling whose it was, so that its age decides.
    const old = Date.now() / 1000 - 11
    utimesSync(`${path}.lock`, old, old)
    await expect.poll(() => all.app.audit.healthy).toBe(true)
    expect(statuses(await all.traffic.burst(20))).toEqual([200])
    await all.app.close()
    expect(all.unrecorded).toEqual([])
    // Whether what could not be cut off got to the disk is in doubt; what was answered for did.
    const served = all.traffic.answers.filter(({ status }) => status === 200)
    expectRecorded(served, readTrail(path))
  })
})

describe('a server does not start', () => {
  it('on a file system that is mounted read-only, and says so', async (context) => {
    const volume = mountVolume(context, 'tmpfs')
    volume.makeReadOnly()
    const path = join(volume.directory, 'audit.log')
    await expect(serve(path)).rejects.toMatchObject({
      code: 'FST_AUDIT_SINK_OPEN_FAILED',
      message: expect.stringMatching(/EROFS, the file system is mounted read-only\. Set `path`/),
    })
  })

  it('where it may not write, and says so', async (context) => {
    const directory = temporaryDirectory()
    becomeNobody(context, directory)
    chmodSync(directory, 0o500)
    await expect(serve(join(directory, 'audit.log'))).rejects.toMatchObject({
      code: 'FST_AUDIT_SINK_OPEN_FAILED',
      message: expect.stringMatching(/EACCES, this process may not write there\. Set `path`/),
    })
  })
})

/** Until the test is over. */
function makeImmutable(context: TestContext, path: string): void {
  ifPermitted(context, 'chattr +i', () => run('chattr', '+i', path))
  onTestFinished(() => void run('chattr', '-i', path))
}

/** Root may do everything: until the test is over this process is somebody else, who owns the directory. */
function becomeNobody(context: TestContext, directory: string): void {
  const nobody = 65_534
  ifPermitted(context, 'becoming another user', () => {
    chownSync(directory, nobody, nobody)
    process.seteuid?.(nobody)
  })
  onTestFinished(() => process.seteuid?.(0))
}
