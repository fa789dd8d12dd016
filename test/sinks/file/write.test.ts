import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AuditSinkOpenFailed, AuditSinkUnavailable } from '../../../src/errors.js'
import { BatchError } from '../../../src/sinks/batch-error.js'
import type { Fault } from './faulty-fs.js'
import { entry, world } from './world.js'

const UNAVAILABLE = { code: 'FST_AUDIT_SINK_UNAVAILABLE' }

describe('writing', () => {
  it('appends a batch as whole lines, in order, with one write', async () => {
    const { opened, fs, texts } = world()
    const sink = await opened()
    fs.calls.length = 0
    await sink.write([entry('a'), entry('b')])
    await sink.write([entry('ü\u{1f600}')])
    expect(texts()).toEqual(['a', 'b', 'ü\u{1f600}'])
    expect(fs.calls).toEqual(['write audit.log', 'write audit.log'])
  })

  it('goes on after the lines that are already in the file', async () => {
    const { opened, texts } = world()
    const first = await opened()
    await first.write([entry('a')])
    await first.close?.()
    await (await opened()).write([entry('b')])
    expect(texts()).toEqual(['a', 'b'])
  })

  it('makes the file and its directories with the modes of the options, and leaves no lock behind', async () => {
    const { opened, directory, names } = world()
    const path = join(directory, 'deep', 'er', 'audit.log')
    const sink = await opened({ path, mode: 0o640, dirMode: 0o750 })
    expect(statSync(path).mode & 0o777).toBe(0o640)
    expect(statSync(join(directory, 'deep', 'er')).mode & 0o777).toBe(0o750)
    expect(statSync(`${path}.lock`).mode & 0o777).toBe(0o640)
    await sink.close?.()
    await expect(sink.write([entry('a')])).rejects.toMatchObject(UNAVAILABLE)
    expect(names()).toEqual(['deep'])
    expect(readFileSync(path, 'utf8')).toBe('')
  })

  it('answers after fdatasync with fsync: true', async () => {
    const { opened, fs, texts } = world()
    const sink = await opened({ fsync: true })
    fs.calls.length = 0
    const hung = fs.plan({ op: 'datasync', hang: true })
    let isStored = false
    const stored = sink.write([entry('a')]).then(() => {
      isStored = true
    })
    await expect.poll(() => hung.hits).toBe(1)
    expect(isStored).toBe(false)
    expect(texts()).toEqual(['a'])
    fs.heal()
    await stored
    expect(fs.calls).toEqual(['write audit.log', 'datasync audit.log'])
  })

  it('syncs every directory above its own with fsync: true, those too that a process before it made', async () => {
    const { opened, directory, fs } = world()
    const path = join(directory, 'deep', 'er', 'audit.log')
    const above = ['deep', basename(directory), basename(dirname(directory))]
    for (const made of [false, true]) {
      expect(existsSync(dirname(path))).toBe(made)
      fs.calls.length = 0
      await (await opened({ path, fsync: true })).close?.()
      expect(fs.calls).toEqual(expect.arrayContaining(above.map((name) => `sync ${name}`)))
      expect(fs.calls).toContain('sync er')
    }
  })

  it('leaves one system call outstanding while a write hangs', async () => {
    const { opened, fs, texts } = world()
    const sink = await opened()
    fs.maxOutstanding = 0
    const hung = fs.plan({ op: 'write', hang: true })
    const stored = sink.write([entry('a')])
    await expect.poll(() => hung.hits).toBe(1)
    expect(fs.outstanding).toBe(1)
    fs.heal()
    await stored
    expect(texts()).toEqual(['a'])
    expect(fs.maxOutstanding).toBe(1)
  })
})

describe('a write that fails', () => {
  it('stores nothing, says so, and works again by itself', async () => {
    const { opened, fs, texts } = world()
    const sink = await opened()
    await sink.write([entry('a')])
    const fault = fs.plan({ op: 'write', code: 'ENOSPC' })
    const failed = sink.write([entry('b')])
    await expect(failed).rejects.toBeInstanceOf(AuditSinkUnavailable)
    await expect(failed).rejects.toMatchObject({ message: expect.stringContaining('ENOSPC') })
    expect(fault.hits).toBe(1)
    expect(texts()).toEqual(['a'])
    await sink.write([entry('c')])
    expect(texts()).toEqual(['a', 'c'])
  })

  it('writes the rest of a short write once', async () => {
    const { opened, fs, texts } = world()
    const sink = await opened()
    const fault = fs.plan({ op: 'write', bytes: 20 })
    await sink.write([entry('a'), entry('b')])
    expect(fault.hits).toBe(1)
    expect(texts()).toEqual(['a', 'b'])
  })

  it.each<[string, Partial<Fault>, Partial<Fault>]>([
    ['the disk is full for the rest of a short write', { bytes: 70 }, { code: 'ENOSPC', nth: 1 }],
    ['the write is short twice', { bytes: 40 }, { bytes: 40, nth: 1 }],
    ['the write fails after a part was written', { bytes: 70, code: 'EIO' }, { nth: 9 }],
  ])('is cut back to where its batch began when %s', async (_name, first, second) => {
    const { opened, fs, read, texts } = world()
    const sink = await opened()
    await sink.write([entry('a')])
    const before = read()
    const fault = fs.plan({ op: 'write', ...first })
    fs.plan({ op: 'write', ...second })
    // More than the first of the two lines is written: neither it nor the torn second one may stay.
    await expect(sink.write([entry('b'), entry('c')])).rejects.toBeInstanceOf(AuditSinkUnavailable)
    expect(fault.hits).toBe(1)
    expect(fs.calls).toContain('truncate audit.log')
    expect(read()).toBe(before)
    fs.heal()
    await sink.write([entry('d')])
    expect(texts()).toEqual(['a', 'd'])
  })

  it('is in doubt when it cannot be cut back, and nothing is accepted until it is', async () => {
    const { opened, fs, read, texts, logged } = world()
    const sink = await opened()
    await sink.write([entry('a')])
    const before = read()
    fs.plan({ op: 'write', bytes: 70, code: 'EIO' })
    const cut = fs.plan({ op: 'truncate', code: 'EIO', times: 3 })
    const batch = [entry('b'), entry('c')]
    await expect(sink.write(batch)).rejects.toMatchObject({ code: 'FST_AUDIT_BATCH', failed: [], inDoubt: batch })
    const refused = sink.write([entry('d')])
    await expect(refused).rejects.toMatchObject(UNAVAILABLE)
    await expect(refused).rejects.not.toBeInstanceOf(BatchError)
    await expect(sink.idle?.()).rejects.toMatchObject(UNAVAILABLE)
    expect(cut.hits).toBe(3)
    await sink.idle?.()
    expect(read()).toBe(before)
    await sink.write([entry('e')])
    expect(texts()).toEqual(['a', 'e'])
    expect(logged).toEqual([
      'the audit file cannot be cut back after a failed write; nothing is stored',
      'no longer: the audit file cannot be cut back after a failed write; nothing is stored',
    ])
  })

  it('is in doubt when the cut cannot be verified', async () => {
    const { opened, fs, texts } = world()
    const sink = await opened()
    fs.plan({ op: 'write', bytes: 70, code: 'EIO' })
    const fault = fs.plan({ op: 'stat', on: 'audit.log', nth: 2, code: 'EIO' })
    await expect(sink.write([entry('b'), entry('c')])).rejects.toBeInstanceOf(BatchError)
    expect(fault.hits).toBe(1)
    await sink.write([entry('d')])
    expect(texts()).toEqual(['d'])
  })

  it('is in doubt when the system says that it cut the file and did not', async () => {
    const { opened, fs, read, texts } = world()
    const sink = await opened()
    const { truncate } = fs
    fs.truncate = async () => undefined
    fs.plan({ op: 'write', bytes: 70, code: 'EIO' })
    await expect(sink.write([entry('a'), entry('b')])).rejects.toBeInstanceOf(BatchError)
    expect(read()).toHaveLength(70)
    fs.truncate = truncate
    await sink.write([entry('c')])
    expect(texts()).toEqual(['c'])
  })

  it('is cut back also when the file is moved away before that succeeds', async () => {
    const { opened, fs, path, texts } = world()
    const sink = await opened()
    await sink.write([entry('a')])
    fs.plan({ op: 'write', bytes: 70, code: 'EIO' })
    fs.plan({ op: 'truncate', code: 'EIO' })
    await expect(sink.write([entry('b'), entry('c')])).rejects.toBeInstanceOf(BatchError)
    renameSync(path, `${path}.1`)
    await sink.reopen?.()
    await sink.write([entry('d')])
    expect(texts('audit.log.1')).toEqual(['a'])
    expect(texts()).toEqual(['d'])
  })

  it('is undone when fdatasync fails, and made sure of through another descriptor', async () => {
    const { opened, fs, texts } = world()
    const sink = await opened({ fsync: true })
    await sink.write([entry('a')])
    fs.calls.length = 0
    const fault = fs.plan({ op: 'datasync', on: 'audit.log', code: 'EIO' })
    await expect(sink.write([entry('b')])).rejects.toBeInstanceOf(AuditSinkUnavailable)
    expect(fault.hits).toBe(1)
    expect(texts()).toEqual(['a'])
    const after = fs.calls.slice(fs.calls.indexOf('truncate audit.log'))
    expect(after.filter((call) => /^(open|close|datasync) audit.log$/.test(call))).toEqual([
      'open audit.log',
      'close audit.log',
      'datasync audit.log',
    ])
    await sink.write([entry('c')])
    expect(texts()).toEqual(['a', 'c'])
  })

  it('is in doubt while fdatasync goes on failing', async () => {
    const { opened, fs, texts } = world()
    const sink = await opened({ fsync: true })
    fs.plan({ op: 'datasync', on: 'audit.log', code: 'EIO', times: 3 })
    await expect(sink.write([entry('a')])).rejects.toBeInstanceOf(BatchError)
    await expect(sink.write([entry('b')])).rejects.toMatchObject(UNAVAILABLE)
    await sink.write([entry('c')])
    expect(texts()).toEqual(['c'])
  })

  it('keeps the sink unhealthy until a probe beside the trail fits on the disk', async () => {
    const { opened, fs, names, texts } = world()
    const sink = await opened()
    const fault = fs.plan({ op: 'write', code: 'ENOSPC', times: 3 })
    await expect(sink.write([entry('a')])).rejects.toThrow('ENOSPC')
    await expect(sink.idle?.()).rejects.toThrow('ENOSPC')
    await expect(sink.idle?.()).rejects.toThrow('ENOSPC')
    expect(fault.hits).toBe(3)
    await sink.idle?.()
    expect(names()).toEqual(['audit.log', 'audit.log.lock'])
    await sink.write([entry('b')])
    expect(texts()).toEqual(['b'])
  })
})

describe('opening', () => {
  it.each([
    ['ENOTDIR', (path: string) => writeFileSync(join(path, '..', 'file'), ''), 'file/audit.log'],
    ['ENOTDIR', (path: string) => writeFileSync(join(path, '..', 'file'), ''), 'file/below/audit.log'],
    ['EISDIR', (path: string) => mkdirSync(join(path, '..', 'directory')), 'directory'],
    ['ELOOP', (path: string) => symlinkSync('/elsewhere', join(path, '..', 'link.log')), 'link.log'],
  ])('stops the boot with %s, and says where and what to set', async (code, prepare, name) => {
    const { sink, path, directory, context, names } = world()
    prepare(path)
    const target = join(directory, name)
    const opening = sink({ path: target }).open?.(context)
    await expect(opening).rejects.toBeInstanceOf(AuditSinkOpenFailed)
    await expect(opening).rejects.toMatchObject({
      message: expect.stringMatching(new RegExp(`"audit".*${target}: ${code}.*\`path\``)),
      cause: expect.objectContaining({ code }),
    })
    expect(names().filter((left) => left.includes('lock'))).toEqual([])
  })

  it.each(['EACCES', 'EROFS'])('stops the boot with %s', async (code) => {
    const { sink, fs, context, names } = world()
    fs.plan({ op: 'open', on: 'audit.log', code })
    await expect(sink().open?.(context)).rejects.toMatchObject({ code: 'FST_AUDIT_SINK_OPEN_FAILED' })
    expect(names()).toEqual([])
  })

  it('stops the boot if something other than a file is at the path', async () => {
    const { sink, context } = world()
    await expect(sink({ path: '/dev/null' }).open?.(context)).rejects.toMatchObject({
      message: expect.stringContaining('it is not a regular file'),
    })
  })

  it.each([
    ['ENOSPC', { op: 'open', on: 'audit.log' }],
    ['EIO', { op: 'mkdir' }],
    ['EMFILE', { op: 'open' }],
    ['EDQUOT', { op: 'write' }],
    ['ENOSPC', { op: 'link', on: '.lock' }],
  ] as const)('starts without storage at %s of %o, and stores as soon as it works', async (code, where) => {
    const { sink, fs, context, texts, names } = world()
    const made = sink()
    const fault = fs.plan({ ...where, code, times: 2 })
    await expect(made.open?.(context)).rejects.toBeInstanceOf(AuditSinkUnavailable)
    expect(fault.hits).toBeGreaterThan(0)
    fs.heal()
    await made.write([entry('a')])
    expect(texts()).toEqual(['a'])
    await made.close?.()
    expect(names().filter((name) => name === 'audit.log.lock')).toEqual([])
  })

  it('also opens later when idle', async () => {
    const { sink, fs, context } = world()
    const made = sink()
    fs.plan({ op: 'open', on: 'audit.log', code: 'EIO', times: 2 })
    await expect(made.open?.(context)).rejects.toBeInstanceOf(AuditSinkUnavailable)
    await expect(made.idle?.()).rejects.toBeInstanceOf(AuditSinkUnavailable)
    await made.idle?.()
  })
})

describe('changes from outside', () => {
  it('creates a deleted file again within a second, and reports entries that may be lost with it', async () => {
    const { opened, path, clock, texts, logged } = world()
    const sink = await opened()
    await sink.write([entry('a')])
    unlinkSync(path)
    await sink.write([entry('b')])
    clock.advance(1000)
    await sink.idle?.()
    await sink.write([entry('c')])
    expect(texts()).toEqual(['c'])
    expect(logged.at(-1)).toContain('deleted by somebody else')
  })

  it('follows a moved file at once on reopen()', async () => {
    const { opened, path, texts } = world()
    const sink = await opened()
    await sink.write([entry('a')])
    renameSync(path, `${path}.1`)
    await sink.write([entry('b')])
    await sink.reopen?.()
    await sink.write([entry('c')])
    expect(texts('audit.log.1')).toEqual(['a', 'b'])
    expect(texts()).toEqual(['c'])
  })

  it('notices before a write too, when it was not idle for a second', async () => {
    const { opened, path, clock, texts } = world()
    const sink = await opened()
    renameSync(path, `${path}.1`)
    writeFileSync(path, `${entry('theirs').line}\ntorn`)
    clock.advance(1000)
    await sink.write([entry('a')])
    expect(texts()).toEqual(['theirs', 'a'])
  })

  it('reports a file that was cut short from outside, and goes on where it ends', async () => {
    const { opened, path, clock, texts, logged } = world()
    const sink = await opened()
    await sink.write([entry('a'), entry('b')])
    truncateSync(path, 0)
    clock.advance(1000)
    await sink.idle?.()
    expect(logged).toEqual(['the audit file was changed by somebody else; it is written to where it ends now'])
    await sink.write([entry('c')])
    expect(texts()).toEqual(['c'])
  })

  it('never cuts a shorter file to the length it had, whatever its failed write left', async () => {
    const { opened, fs, path, texts } = world()
    const sink = await opened()
    await sink.write([entry('a'), entry('b'), entry('c')])
    truncateSync(path, 0)
    fs.plan({ op: 'write', bytes: 70, code: 'EIO' })
    const batch = [entry('d'), entry('e')]
    await expect(sink.write(batch)).rejects.toMatchObject({ inDoubt: batch })
    await sink.write([entry('f')])
    // The whole line of the batch in doubt stays: it may be somebody else's.
    expect(texts()).toEqual(['d', 'f'])
  })

  it('never cuts off lines that somebody else appended', async () => {
    const { opened, fs, path, texts } = world()
    const sink = await opened()
    appendFileSync(path, `${entry('theirs, and long enough to be more than what the failed write has').line}\n`)
    fs.plan({ op: 'write', code: 'EIO' })
    await expect(sink.write([entry('a')])).rejects.toBeInstanceOf(BatchError)
    await sink.write([entry('b')])
    expect(texts()).toHaveLength(2)
  })

  it('makes its directory again when that is gone', async () => {
    const { opened, directory, clock, texts } = world()
    const sink = await opened({ path: join(directory, 'below', 'audit.log') })
    rmSync(join(directory, 'below'), { recursive: true })
    clock.advance(1000)
    await sink.write([entry('a')])
    expect(texts('below/audit.log')).toEqual(['a'])
  })

  it('refuses to follow its path through a symbolic link', async () => {
    const { opened, directory, path, clock, texts } = world()
    const sink = await opened()
    renameSync(path, join(directory, 'target'))
    symlinkSync('target', path)
    clock.advance(1000)
    await expect(sink.write([entry('a')])).rejects.toMatchObject({ code: 'FST_AUDIT_SINK_OPEN_FAILED' })
    unlinkSync(path)
    await sink.write([entry('b')])
    expect(texts()).toEqual(['b'])
  })
})
