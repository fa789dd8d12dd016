import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fileSink } from '../../../src/sinks/file/file-sink.js'
import { runs } from '../../support/runs.js'
import { entry, entryOf, linesOf, temporaryDirectory, world } from './world.js'

const TORN = 'audit.log.torn-2026-03-24T17-09-35.704Z'

describe('a torn last line', () => {
  it('is set aside on opening, and the log ends whole', async () => {
    const { opened, path, texts, read, names, logged } = world()
    writeFileSync(path, `${entry('a').line}\n{"created_at":"2026-`)
    const sink = await opened()
    expect(texts()).toEqual(['a'])
    expect(read(TORN)).toBe('{"created_at":"2026-')
    await sink.write([entry('b')])
    expect(texts()).toEqual(['a', 'b'])
    expect(names()).toEqual(['audit.log', 'audit.log.lock', TORN])
    expect(logged).toEqual(['the audit file ended in a torn line, which was set aside'])
  })

  it('may be all there is, and may be longer than what is read at once', async () => {
    const { opened, path, read } = world()
    const torn = 'x'.repeat(3 * 64 * 1024 + 7)
    writeFileSync(path, torn)
    await opened()
    expect(read()).toBe('')
    expect(read(TORN)).toBe(torn)
  })

  it('never replaces one that was set aside before', async () => {
    const { opened, path, read, directory } = world()
    writeFileSync(join(directory, TORN), 'older')
    writeFileSync(path, 'newer')
    await opened()
    expect(read(TORN)).toBe('older')
    expect(read(`${TORN}-1`)).toBe('newer')
  })

  it.each(['ENOSPC', 'EDQUOT'])('is cut off all the same when there is no room to keep it (%s)', async (code) => {
    const { opened, path, fs, texts, names, logged } = world()
    writeFileSync(path, `${entry('a').line}\ntorn`)
    const fault = fs.plan({ op: 'write', on: TORN, bytes: 2, code })
    await opened()
    expect(fault.hits).toBe(1)
    expect(texts()).toEqual(['a'])
    expect(names()).toEqual(['audit.log', 'audit.log.lock'])
    expect(logged).toEqual(['the audit file ended in a torn line, which was cut off: there was no room to keep it'])
  })

  it('begins at the line with a hole that power loss left in the last write, with or without whole lines after it', async () => {
    const { opened, path, texts, read, logged } = world()
    const hole = `{"created_at":"2026-\0\0\0\0 way"}\n${entry('c').line}\n`
    writeFileSync(path, `${entry('a').line}\n${entry('b').line}\n${hole}`)
    await (await opened()).close?.()
    expect(read(), 'without fsync what follows may have been acknowledged').toContain(hole)
    await opened({ fsync: true })
    expect(texts()).toEqual(['a', 'b'])
    expect(read(TORN)).toBe(hole)
    expect(logged).toEqual(['the audit file ended in a torn line, which was set aside'])
  })

  it('is looked for in the length of one write, not in the whole file', async () => {
    const { opened, path, read, fs } = world()
    const lines = `${entry('x'.repeat(1000)).line}\n`.repeat(8000)
    writeFileSync(path, `\0\n${lines}`)
    await opened({ fsync: true })
    expect(read()).toBe(`\0\n${lines}`)
    expect(fs.calls.filter((call) => call === 'read audit.log').length).toBeLessThan(100)
  })

  it('stays where it is while it can be neither kept nor judged', async () => {
    const { sink, context, path, fs, read, texts } = world()
    writeFileSync(path, `${entry('a').line}\ntorn`)
    const before = read()
    fs.plan({ op: 'write', on: TORN, code: 'EIO' })
    const made = sink()
    await expect(made.open?.(context)).rejects.toMatchObject({ code: 'FST_AUDIT_SINK_UNAVAILABLE' })
    expect(read()).toBe(before)
    await made.write([entry('b')])
    expect(texts()).toEqual(['a', 'b'])
  })

  it('is all that is ever cut off: whole lines stay, whatever bytes follow them', async () => {
    const line = fc.string({ unit: 'binary', maxLength: 200 }).map((text) => JSON.stringify(text))
    const tail = fc.uint8Array({ maxLength: 300 }).map((bytes) => bytes.map((byte) => (byte === 0x0a ? 0 : byte)))
    let round = 0
    const directory = temporaryDirectory()
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 20 }), tail, async (lines, torn) => {
        const path = join(directory, String(round++), 'audit.log')
        const make = (): ReturnType<typeof fileSink> =>
          fileSink({
            path,
            mode: 0o600,
            dirMode: 0o700,
            rotateBytes: 0,
            rotateDuration: 0,
            rotateMaxFiles: 0,
            rotateMaxAge: 0,
            rotateMinAge: 0,
            fsync: false,
            lockTimeout: 0,
          })
        const aside: string[] = []
        const log = (details: object): void => {
          if ('copy' in details) aside.push(String(details.copy))
        }
        const context = {
          name: 'audit',
          log: { info: log, warn: log, error: log },
          record: (): void => undefined,
          doubt: (): void => undefined,
        }
        const first = make()
        await first.open?.(context)
        if (lines.length > 0) await first.write(lines.map(entryOf))
        await first.close?.()
        const whole = readFileSync(path)
        writeFileSync(path, Buffer.concat([whole, torn]))
        const second = make()
        await second.open?.(context)
        expect(readFileSync(path).equals(whole)).toBe(true)
        expect(aside).toHaveLength(torn.length > 0 ? 1 : 0)
        if (aside[0] !== undefined) expect(new Uint8Array(readFileSync(aside[0]))).toEqual(torn)
        await second.write([entry('after')])
        await second.close?.()
        expect(linesOf(readFileSync(path, 'utf8'))).toHaveLength(linesOf(whole.toString()).length + 1)
      }),
      { numRuns: runs(20) },
    )
  })
})
