import { spawn } from 'node:child_process'
import { readFileSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { AuditSinkLocked } from '../../../src/errors.js'
import { nodeFileSystem } from '../../../src/sinks/file/fs.js'
import { type Lock, takeLock } from '../../../src/sinks/file/lock.js'
import { identify } from '../../../src/sinks/file/process-identity.js'
import { entry, ManualClock, START, until, type World, world } from './world.js'

vi.mock('../../../src/clock.js', () => import('../../support/current-clock.js'))

const TOKEN = 'b3c1f2d0-1111-4222-8333-444455556666'

/** Leaves a lock of another process, with its last renewal in the past of the world's clock. */
async function leaveLock({ path, clock }: World, more: object, age = 0): Promise<void> {
  const self = await identify(nodeFileSystem)
  const holder = { ...self, token: TOKEN, instance: 'another', since: new Date(START).toISOString(), ...more }
  writeFileSync(`${path}.lock`, JSON.stringify(holder))
  renew({ path, clock }, age)
}

function renew({ path, clock }: Pick<World, 'path' | 'clock'>, age = 0): void {
  const time = (clock.now() - age) / 1000
  utimesSync(`${path}.lock`, time, time)
}

const elsewhere = { host: 'another-host' }

/** A pid that no process has: that of a child which has ended and was waited for. */
async function deadPid(): Promise<number> {
  const child = spawn('true')
  const { pid } = child
  await new Promise((resolve) => child.on('exit', resolve))
  if (pid === undefined) throw new Error('no child could be started')
  return pid
}

describe('the lock', () => {
  it('names its holder and is gone after close', async () => {
    const { opened, path, names } = world()
    const sink = await opened()
    expect(JSON.parse(readFileSync(`${path}.lock`, 'utf8'))).toMatchObject({
      pid: process.pid,
      host: hostname(),
      since: '2026-03-24T17:09:35.704Z',
      token: expect.any(String),
    })
    await sink.close?.()
    expect(names()).toEqual(['audit.log'])
  })

  it('is taken, and hour-old files of processes that died while taking it are removed', async () => {
    const all = world()
    const other = TOKEN.replace('b', 'c')
    const litter = ['lock.', 'lock.claim-'].flatMap((name) =>
      [TOKEN, other].map((token) => `audit.log.${name}${token}`),
    )
    const others = [
      'audit.log.lock.mine',
      `audit.log.lock.${TOKEN}.bak`,
      `other.log.lock.${TOKEN}`,
      `audit.log.${TOKEN}`,
    ]
    for (const name of [...litter, ...others]) {
      writeFileSync(join(all.directory, name), '')
      const age = name.endsWith(other) ? 3_599_000 : 3_601_000
      utimesSync(join(all.directory, name), (START - age) / 1000, (START - age) / 1000)
    }
    const young = litter.filter((name) => name.endsWith(other))
    await all.opened()
    expect(all.names()).toEqual(['audit.log', 'audit.log.lock', ...young, ...others].sort())
  })

  it('is taken although files beside it cannot be read', async () => {
    const { opened, fs, logged } = world()
    fs.plan({ op: 'readdir', code: 'EIO' })
    await opened()
    expect(logged).toEqual(['cleaning up beside the audit file failed'])
  })

  it('refuses a second sink of the same process at once, naming app.close() and memorySink()', async () => {
    const { opened, clock, texts } = world()
    const first = await opened()
    const second = opened({ lockTimeout: 5000 })
    await expect(second).rejects.toBeInstanceOf(AuditSinkLocked)
    await expect(second).rejects.toThrow(/this process.*app\.close\(\).*memorySink\(\)/)
    expect(clock.monotonic()).toBe(0)
    await first.write([entry('a')])
    expect(texts()).toEqual(['a'])
  })

  it('waits lockTimeout for a process that runs, then names it and the remedy', async () => {
    const all = world()
    const child = spawn('sleep', ['60'])
    const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
    await leaveLock(all, { pid: child.pid, start: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] })
    const opening = all.opened({ lockTimeout: 5000 })
    await expect(opening).rejects.toThrow(new RegExp(`process ${child.pid} on host .*\\{slot\\}.*lockTimeout`))
    expect(all.clock.monotonic()).toBe(5000)
    expect(all.names()).toEqual(['audit.log.lock'])
    child.kill()
    await new Promise((resolve) => child.on('exit', resolve))
    await (await all.opened()).write([entry('a')])
  })

  it('opens as soon as the holder releases it', async () => {
    const all = world()
    await leaveLock(all, elsewhere)
    const release = vi.spyOn(all.clock, 'advance').mockImplementationOnce(() => unlinkSync(`${all.path}.lock`))
    await all.opened({ lockTimeout: 5000 })
    expect(release).toHaveBeenCalledOnce()
  })

  it('is as young as its taking, however long that was waited for', async () => {
    const all = world()
    await leaveLock(all, elsewhere)
    const advance = all.clock.advance.bind(all.clock)
    vi.spyOn(all.clock, 'advance').mockImplementation((milliseconds) => {
      advance(milliseconds)
      renew(all)
      if (all.clock.monotonic() === 20_000) unlinkSync(`${all.path}.lock`)
    })
    await all.opened({ lockTimeout: 30_000 })
    const { modified } = await nodeFileSystem.lstat(`${all.path}.lock`)
    expect(Math.abs(modified - (START + 20_000))).toBeLessThanOrEqual(1)
  })

  it('of a process that is gone is taken over at once', async () => {
    const all = world()
    await leaveLock(all, { pid: await deadPid() })
    await all.opened()
    expect(all.clock.monotonic()).toBe(0)
    expect(all.names()).toEqual(['audit.log', 'audit.log.lock'])
  })

  it('of a process that has ended, but was not waited for, is taken over at once', async () => {
    const all = world()
    // `sleep` inherits the child of the shell that it replaces, and never waits for it.
    const parent = spawn('bash', ['-c', 'read -r _ <&0 & echo $!; exec sleep 60'])
    const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (text) => resolve(Number(text))))
    const fields = (): string[] => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    // The child ends only then: the shell itself would wait for it.
    await until(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8') === 'sleep\n')
    parent.stdin.end('\n')
    await until(() => fields()[0] === 'Z')
    await leaveLock(all, { pid, start: fields()[19] })
    await all.opened()
    parent.kill()
  })

  it('of another process that had the same pid is taken over at once', async () => {
    const all = world()
    await leaveLock(all, { start: '1' })
    await all.opened()
    expect(all.clock.monotonic()).toBe(0)
  })

  const OUT_OF_SIGHT: ReadonlyArray<[string, object, string]> = [
    ['another host', elsewhere, 'host "another-host" holds'],
    ['another container', { pid_namespace: '4:1' }, '(in another container, or before a reboot) holds'],
    ['before a reboot', { boot: 'another' }, '(in another container, or before a reboot) holds'],
  ]

  it.each(OUT_OF_SIGHT)('of %s is judged by its age, never by its pid', async (_name, where, named) => {
    const all = world()
    const more = { ...where, pid: await deadPid() }
    await leaveLock(all, more)
    const refused = all.opened({ lockTimeout: 0 })
    await expect(refused).rejects.toBeInstanceOf(AuditSinkLocked)
    await expect(refused).rejects.toThrow(named)
    await expect(refused).rejects.toThrow('raise `lockTimeout` above 0 if the holder may be gone')
    await leaveLock(all, more, 10_001)
    await all.opened()
  })

  it.each(OUT_OF_SIGHT)(
    'of %s is waited for beyond lockTimeout, until it is known to be dead',
    async (_name, where) => {
      for (const age of [0, 1000, 4300, 9000, 60_000, -60_000]) {
        const all = world()
        await leaveLock(all, where, age)
        const before = all.clock.monotonic()
        await all.opened({ lockTimeout: 5000 })
        expect(all.clock.monotonic() - before).toBeLessThanOrEqual(10_100)
      }
    },
  )

  it.each(OUT_OF_SIGHT)(
    'of %s is refused after lockTimeout while it is renewed, with the remedy',
    async (_name, where) => {
      const all = world()
      await leaveLock(all, where)
      const advance = all.clock.advance.bind(all.clock)
      vi.spyOn(all.clock, 'advance').mockImplementation((milliseconds) => {
        advance(milliseconds)
        if (all.clock.monotonic() % 1000 === 0) renew(all)
      })
      const refused = all.opened({ lockTimeout: 5000 })
      await expect(refused).rejects.toThrow(/put \{slot\} into `path` for cluster workers and rollouts/)
      expect(all.clock.monotonic()).toBe(5000)
    },
  )

  it('of a container that is stopped while its successor waits is taken as soon as it is known to be dead', async () => {
    const all = world()
    await leaveLock(all, { pid_namespace: '4:1' })
    const advance = all.clock.advance.bind(all.clock)
    vi.spyOn(all.clock, 'advance').mockImplementation((milliseconds) => {
      advance(milliseconds)
      if (all.clock.monotonic() % 1000 === 0 && all.clock.monotonic() <= 3000) renew(all)
    })
    await all.opened({ lockTimeout: 5000 })
    expect(all.clock.monotonic()).toBeLessThanOrEqual(13_100)
  })

  it('that looks old by another clock is not taken while it is renewed', async () => {
    const all = world()
    await leaveLock(all, elsewhere, 60_000)
    const advance = all.clock.advance.bind(all.clock)
    vi.spyOn(all.clock, 'advance').mockImplementation((milliseconds) => {
      advance(milliseconds)
      renew(all, 60_000)
    })
    await expect(all.opened({ lockTimeout: 20_000 })).rejects.toBeInstanceOf(AuditSinkLocked)
  })

  it('that looks young by another clock is taken when it is not renewed', async () => {
    const all = world()
    await leaveLock(all, elsewhere, -3_600_000)
    await all.opened({ lockTimeout: 15_000 })
  })

  it.each(['', 'not json', '[]', '{"pid":0}', `{"pid":-1,"token":"${TOKEN}"}`, '{"token":"../../../etc/passwd"}'])(
    'that cannot be understood (%s) is judged by its age',
    async (text) => {
      const all = world()
      writeFileSync(`${all.path}.lock`, text)
      renew(all)
      await expect(all.opened()).rejects.toBeInstanceOf(AuditSinkLocked)
      renew(all, 10_001)
      await all.opened()
    },
  )

  it('is not left behind by a boot that fails', async () => {
    const { opened, fs, names } = world()
    fs.plan({ op: 'open', on: 'audit.log', code: 'EACCES' })
    await expect(opened()).rejects.toMatchObject({ code: 'FST_AUDIT_SINK_OPEN_FAILED' })
    expect(names()).toEqual([])
  })

  it('that could not be removed on close does not lock this process out', async () => {
    const { opened, fs, names } = world()
    const sink = await opened()
    fs.plan({ op: 'unlink', on: '.lock', code: 'EIO' })
    await expect(sink.close?.()).rejects.toThrow('EIO')
    expect(names()).toContain('audit.log.lock')
    await opened()
  })

  it('that was lost stops the writing: nothing is appended, cut or renamed any more', async () => {
    const all = world()
    const sink = await all.opened({ rotateBytes: 1 })
    await sink.write([entry('a')])
    unlinkSync(`${all.path}.lock`)
    await leaveLock(all, elsewhere)
    all.clock.advance(1000)
    renew(all)
    all.fs.calls.length = 0
    await expect(sink.write([entry('b')])).rejects.toBeInstanceOf(AuditSinkLocked)
    await expect(sink.idle?.()).rejects.toBeInstanceOf(AuditSinkLocked)
    expect(all.fs.calls.filter((call) => /^(truncate|rename|link .*Z\.log|write audit\.log$)/.test(call))).toEqual([])
    expect(all.texts()).toEqual(['a'])
    expect(all.logged).toEqual(['the lock of the audit file was taken by another process, or removed'])
    unlinkSync(`${all.path}.lock`)
    await sink.write([entry('c')])
    expect(all.texts()).toEqual(['c'])
  })

  it.each<[string, (all: World) => void]>([
    ['the process', ({ clock }) => clock.advance(60_000)],
    [
      'the machine, whose monotonic clock stood still',
      ({ clock }) => {
        const { now } = clock
        clock.now = () => now() + 60_000
      },
    ],
  ])('is looked at before the first write after a pause of %s', async (_what, pause) => {
    for (const isLocal of [true, false]) {
      const all = world()
      all.fs.room = Promise.resolve({ free: 2 ** 40, total: 2 ** 40, isLocal })
      const sink = await all.opened()
      await sink.idle?.()
      await sink.write([entry('a')])
      pause(all)
      unlinkSync(`${all.path}.lock`)
      await leaveLock(all, elsewhere)
      await expect(sink.write([entry('b')])).rejects.toBeInstanceOf(AuditSinkLocked)
      expect(all.texts()).toEqual(['a'])
    }
  })

  it('is looked at again when the process was stopped between the look and the write', async () => {
    const all = world()
    const sink = await all.opened()
    await sink.write([entry('a')])
    all.clock.advance(1000)
    const { lstat } = all.fs
    all.fs.lstat = async (path) => {
      const found = await lstat(path)
      // The file is looked at last.
      if (path !== all.path) return found
      all.fs.lstat = lstat
      all.clock.advance(60_000)
      unlinkSync(`${all.path}.lock`)
      await leaveLock(all, elsewhere)
      return found
    }
    await expect(sink.write([entry('b')])).rejects.toThrow('was taken by another process')
    expect(all.texts()).toEqual(['a'])
  })

  it.each([
    ['rotates', { rotateBytes: 1 }],
    ['deletes', { rotateMaxFiles: 1 }],
  ])('that was lost since the last look: nothing %s', async (_name, options) => {
    const all = world()
    for (const day of [1, 2]) writeFileSync(join(all.directory, `audit-2026-01-0${day}T00-00-00.000Z.log`), '')
    const sink = await all.opened(options)
    await sink.write([entry('a')])
    unlinkSync(`${all.path}.lock`)
    await sink.idle?.()
    expect(all.recorded).toEqual([])
    expect(all.names()).toHaveLength(3)
  })

  it('is ours when a network file system says that it is not free because we have it already', async () => {
    const { opened, fs } = world()
    const link = fs.link
    fs.link = async (from, to) => {
      await link(from, to)
      await link(from, to)
    }
    await opened()
  })

  it('is removed when the system made it and said that it did not', async () => {
    const { opened, fs, names } = world()
    fs.plan({ op: 'link', on: '.lock', isDone: true, code: 'EIO' })
    await expect(opened()).rejects.toMatchObject({ code: 'FST_AUDIT_SINK_UNAVAILABLE' })
    expect(names()).toEqual([])
  })

  it('is not closed under a renewal that is under way', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const { opened, fs } = world()
    const sink = await opened()
    const hung = fs.plan({ op: 'touch', hang: true })
    vi.advanceTimersByTime(1000)
    await until(() => hung.hits === 1)
    fs.calls.length = 0
    const closed = sink.close?.()
    await until(() => fs.calls.includes('close audit.log'))
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(fs.calls).toEqual(['close audit.log'])
    fs.heal()
    await closed
  })

  it('is looked at before a failed write is cut back', async () => {
    const all = world()
    const sink = await all.opened()
    all.fs.plan({ op: 'write', bytes: 10, code: 'EIO' })
    unlinkSync(`${all.path}.lock`)
    const batch = [entry('a')]
    await expect(sink.write(batch)).rejects.toMatchObject({ inDoubt: batch })
    expect(all.fs.calls).not.toContain('truncate audit.log')
  })

  it('is looked at before a cut that failed is tried again', async () => {
    const all = world()
    const sink = await all.opened()
    all.fs.plan({ op: 'write', bytes: 10, code: 'EIO' })
    all.fs.plan({ op: 'truncate', code: 'EIO' })
    await expect(sink.write([entry('a')])).rejects.toThrow('in doubt')
    unlinkSync(`${all.path}.lock`)
    all.fs.calls.length = 0
    await expect(sink.write([entry('b')])).rejects.toMatchObject({ code: 'FST_AUDIT_SINK_UNAVAILABLE' })
    expect(all.fs.calls).not.toContain('truncate audit.log')
  })

  it('is looked at before a torn line is cut off: it may be what another process is writing', async () => {
    const all = world()
    writeFileSync(all.path, '{"created_at":"torn')
    const opening = all.fs.plan({ op: 'open', on: 'audit.log', hang: true })
    const opened = all.opened()
    opened.catch(() => undefined)
    await until(() => opening.hits === 1)
    unlinkSync(`${all.path}.lock`)
    all.fs.heal()
    await expect(opened).rejects.toMatchObject({ code: 'FST_AUDIT_SINK_UNAVAILABLE' })
    expect(all.read()).toBe('{"created_at":"torn')
  })

  it('is renewed every second, also while a write hangs, and one call at a time', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const all = world()
    const sink = await all.opened()
    const hung = all.fs.plan({ op: 'write', on: 'audit.log', hang: true })
    const stored = sink.write([entry('a')])
    await until(() => hung.hits === 1)
    const touched = (): number => all.fs.calls.filter((call) => call.startsWith('touch')).length
    const before = touched()
    for (let second = 1; second <= 20; second++) {
      all.clock.advance(1000)
      vi.advanceTimersByTime(1000)
      await until(() => touched() > before + second - 1 && all.fs.outstanding === 1)
      expect(touched()).toBe(before + second)
    }
    const { modified } = await nodeFileSystem.lstat(`${all.path}.lock`)
    expect(Math.abs(modified - (START + 20_000))).toBeLessThanOrEqual(1)
    const stuck = all.fs.plan({ op: 'touch', hang: true })
    vi.advanceTimersByTime(5000)
    await until(() => stuck.hits === 1)
    expect(all.fs.outstanding).toBe(2)
    all.fs.heal()
    await stored
  })
})

describe('taking over a dead lock', () => {
  const parts = (clock = new ManualClock()): Parameters<typeof takeLock>[4] => ({
    fs: nodeFileSystem,
    clock,
    sleep: async (milliseconds) => clock.advance(milliseconds),
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  })

  it('is done by exactly one of many who try at once', async () => {
    for (let round = 0; round < 20; round++) {
      const all = world()
      await leaveLock(all, { pid: await deadPid() })
      const attempts = Array.from({ length: 8 }, () =>
        takeLock(`${all.path}.lock`, all.path, 0o600, 0, parts(all.clock)),
      )
      const results = await Promise.allSettled(attempts)
      const taken = results.flatMap((result): Lock[] => (result.status === 'fulfilled' ? [result.value] : []))
      expect(taken).toHaveLength(1)
      expect(await taken[0]?.isHeld()).toBe(true)
      await taken[0]?.release()
      expect(all.names()).toEqual([])
    }
  })

  it('is done by one at most, however their calls interleave', async () => {
    const all = world()
    await leaveLock(all, { pid: await deadPid() })
    // The first stops before it puts its own lock in place; the second must leave the dead lock to it.
    const rename = all.fs.plan({ op: 'rename', on: '.lock', hang: true })
    const first = takeLock(`${all.path}.lock`, all.path, 0o600, 0, { ...parts(all.clock), fs: all.fs })
    await until(() => rename.hits === 1)
    await expect(takeLock(`${all.path}.lock`, all.path, 0o600, 0, parts(all.clock))).rejects.toBeInstanceOf(
      AuditSinkLocked,
    )
    all.fs.heal()
    const lock = await first
    expect(await lock.isHeld()).toBe(true)
    await lock.release()
  })

  it('leaves alone a lock that was taken over in the meantime', async () => {
    const all = world()
    await leaveLock(all, { pid: await deadPid() })
    // The slow one has judged the old lock dead, and comes to claim it when another is the holder already.
    const claim = all.fs.plan({ op: 'link', on: `claim-${TOKEN}`, hang: true })
    const slow = takeLock(`${all.path}.lock`, all.path, 0o600, 0, { ...parts(all.clock), fs: all.fs })
    slow.catch(() => undefined)
    await until(() => claim.hits === 1)
    const lock = await takeLock(`${all.path}.lock`, all.path, 0o600, 0, parts(all.clock))
    all.fs.heal()
    await expect(slow).rejects.toBeInstanceOf(AuditSinkLocked)
    expect(await lock.isHeld()).toBe(true)
    await lock.release()
    expect(all.names()).toEqual([])
  })

  it('leaves alone a lock that was renewed while it was claimed: its holder was only slow', async () => {
    const all = world()
    await leaveLock(all, elsewhere, 60_000)
    const claim = all.fs.plan({ op: 'link', on: `claim-${TOKEN}`, hang: true })
    const opened = all.opened()
    opened.catch(() => undefined)
    await until(() => claim.hits === 1)
    renew(all)
    all.fs.heal()
    await expect(opened).rejects.toBeInstanceOf(AuditSinkLocked)
    expect(JSON.parse(readFileSync(`${all.path}.lock`, 'utf8')).token).toBe(TOKEN)
    expect(all.names()).toEqual(['audit.log.lock'])
  })

  it('goes on from a claim whose maker died too', async () => {
    const all = world()
    await leaveLock(all, { pid: await deadPid() })
    const claimant = { ...JSON.parse(readFileSync(`${all.path}.lock`, 'utf8')), token: TOKEN.replace('b', 'c') }
    writeFileSync(`${all.path}.lock.claim-${TOKEN}`, JSON.stringify(claimant))
    const lock = await takeLock(`${all.path}.lock`, all.path, 0o600, 0, parts(all.clock))
    expect(await lock.isHeld()).toBe(true)
    await lock.release()
    expect(all.names()).toEqual([])
  })
})
