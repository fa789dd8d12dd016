import { appendFileSync, chmodSync, chownSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { FileStatus } from '../../../src/sinks/file/fs.js'
import { entry, START, type World, world } from './world.js'

const STRANGER = 12_345

/** Shows the audit file, and its directory, as belonging to others. */
function pretend({ fs, path }: World, file: Partial<FileStatus>, directory: Partial<FileStatus>): void {
  const { stat } = fs
  const open = fs.open.bind(fs)
  const paths = new Map<number, string>()
  fs.open = async (asked, flags, mode) => {
    const fd = await open(asked, flags, mode)
    paths.set(fd, asked)
    return fd
  }
  fs.stat = async (fd) => {
    const status = await stat(fd)
    if (paths.get(fd) === path) return { ...status, ...file }
    return status.kind === 'directory' ? { ...status, ...directory } : status
  }
}

describe('files that another user made', () => {
  it('never adopts what waits as audit.log.next: a descriptor that is open to it writes elsewhere', async () => {
    const { opened, path, names, texts } = world()
    writeFileSync(`${path}.next`, '')
    chmodSync(`${path}.next`, 0o666)
    const descriptor = openSync(`${path}.next`, 'a')
    const sink = await opened({ rotateBytes: 1 })
    await sink.write([entry('a'), entry('a')])
    await sink.write([entry('b')])
    writeSync(descriptor, '{"forged":true}\n')
    expect(texts()).toEqual(['b'])
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(names()).not.toContain('audit.log.next')
  })

  it('leaves what somebody has written into audit.log.next, and goes on with the active file', async () => {
    const { opened, path, names, texts, logged } = world()
    appendFileSync(`${path}.next`, 'x')
    const sink = await opened({ rotateBytes: 1 })
    for (const text of ['a', 'b', 'c']) await sink.write([entry(text), entry(text)])
    expect(texts()).toEqual(['a', 'a', 'b', 'b', 'c', 'c'])
    expect(names()).toContain('audit.log.next')
    expect(logged).toEqual(['the audit file cannot be rotated; it is written to as before'])
  })

  const OWN = process.geteuid?.() ?? 0
  it.each([
    ['refuses', 'a stranger made it where anybody may', { owner: STRANGER }, { owner: OWN, permissions: 0o1777 }],
    ['warns', 'a stranger made it where the group may', { owner: STRANGER }, { owner: OWN, permissions: 0o775 }],
    ['trusts', 'the owner of the directory made it', { owner: STRANGER }, { owner: STRANGER, permissions: 0o777 }],
    ['trusts', 'root made it', { owner: 0 }, { owner: STRANGER, permissions: 0o777 }],
    ['trusts', 'it is ours', { owner: OWN }, { owner: 0, permissions: 0o1777 }],
    ['warns', 'anybody may write to it', { permissions: 0o666 }, { owner: OWN, permissions: 0o700 }],
    ['trusts', 'its group may write to it', { permissions: 0o660 }, { owner: OWN, permissions: 0o700 }],
  ] as const)('%s when %s', async (expected, _what, file, directory) => {
    const all = world()
    writeFileSync(all.path, `${entry('old', START).line}\n`)
    pretend(all, file, directory)
    if (expected === 'refuses') {
      await expect(all.opened()).rejects.toThrow(`${all.path}: ENOTOWNER, it belongs to another user`)
      return
    }
    await all.opened()
    expect(all.logged).toHaveLength(expected === 'warns' ? 1 : 0)
  })

  it('is told by the owner that the file system gives to a file of ours, not by the id of the process', async () => {
    const all = world()
    const { stat } = all.fs
    // As NFS does for root.
    all.fs.stat = async (fd) => ({ ...(await stat(fd)), owner: 65_534, permissions: 0o777 })
    writeFileSync(all.path, '')
    const mode = 0o777
    await all.opened({ mode })
    expect(all.logged).toEqual([])
  })

  it.runIf(OWN === 0)('refuses a file of another user for real', async () => {
    const all = world()
    writeFileSync(all.path, '')
    chownSync(all.path, STRANGER, STRANGER)
    chmodSync(all.directory, 0o1777)
    await expect(all.opened()).rejects.toThrow('ENOTOWNER')
  })
})
