import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  APPEND,
  APPEND_OR_CREATE,
  CREATE,
  errorCode,
  type FileStatus,
  type FileSystem,
  nodeFileSystem,
  READ,
  READ_DIRECTORY,
} from '../../../../src/sinks/file/fs.js'
import { runs } from '../../../support/runs.js'
import { ManualClock, temporaryDirectory } from '../world.js'
import { Disk } from './disk.js'
import { Machine } from './machine.js'

type Step = (fs: FileSystem, at: (name: string) => string, files: number[]) => Promise<unknown>

const file = fc.constantFrom('a', 'b', 'c')
const path = fc.constantFrom('a', 'b', 'c', 'd', 'd/a', 'd/e/b', 'a/x')
const size = fc.nat(20)

/** The sink's calls to a file system, in any order. */
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: file.map((name) => opening(name, APPEND_OR_CREATE)) },
  fc.tuple(path, fc.constantFrom(APPEND, APPEND_OR_CREATE, CREATE)).map(([name, flags]) => opening(name, flags)),
  fc.constantFrom(READ, READ_DIRECTORY).chain((flags) => path.map((name) => looking(name, flags))),
  size.map(
    (length): Step =>
      (fs, _, files) =>
        onLast(files, (fd) => fs.write(fd, Buffer.alloc(length, 'x'))),
  ),
  size.map(
    (length): Step =>
      (fs, _, files) =>
        onLast(files, (fd) => fs.truncate(fd, length)),
  ),
  size.map(
    (from): Step =>
      (fs, _, files) =>
        onLast(files, (fd) => reading(fs, fd, from)),
  ),
  fc.constant<Step>((fs, _, files) => onLast(files, async (fd) => said(await fs.stat(fd)))),
  fc.constant<Step>((fs, _, files) => onLast(files, () => fs.close(files.pop() ?? -1))),
  path.map(
    (name): Step =>
      async (fs, at) =>
        said(await fs.lstat(at(name))),
  ),
  fc.constantFrom('d', 'd/e').map(
    (name): Step =>
      (fs, at) =>
        fs.mkdir(at(name), 0o700),
  ),
  fc.constantFrom('', 'd', 'a').map(
    (name): Step =>
      async (fs, at) =>
        (await fs.readdir(at(name))).sort(),
  ),
  fc.tuple(file, path).map(
    ([from, to]): Step =>
      (fs, at) =>
        fs.link(at(from), at(to)),
  ),
  fc.tuple(file, file).map(
    ([from, to]): Step =>
      (fs, at) =>
        fs.rename(at(from), at(to)),
  ),
  fc.constantFrom('a', 'b', 'c', 'd/a').map(
    (name): Step =>
      (fs, at) =>
        fs.unlink(at(name)),
  ),
)

function opening(name: string, flags: number): Step {
  return async (fs, at, files) => void files.push(await fs.open(at(name), flags, 0o600))
}

function looking(name: string, flags: number): Step {
  return async (fs, at) => {
    const fd = await fs.open(at(name), flags, 0)
    const status = said(await fs.stat(fd))
    await fs.close(fd)
    return status
  }
}

async function onLast(files: readonly number[], use: (fd: number) => Promise<unknown>): Promise<unknown> {
  const fd = files.at(-1)
  return fd === undefined ? undefined : use(fd)
}

async function reading(fs: FileSystem, fd: number, from: number): Promise<string> {
  const into = Buffer.alloc(30)
  return into.subarray(0, await fs.read(fd, into, from)).toString()
}

function said({ kind, size: bytes, links }: FileStatus): object {
  return kind === 'file' ? { kind, bytes, links } : { kind }
}

async function outcomes(fs: FileSystem, directory: string, steps: readonly Step[]): Promise<unknown[]> {
  const files: number[] = []
  const results: unknown[] = []
  const at = (name: string): string => join(directory, name)
  for (const taken of steps) {
    try {
      results.push(await taken(fs, at, files))
    } catch (error) {
      results.push(errorCode(error) ?? error)
    }
  }
  for (const fd of files) await fs.close(fd)
  return results
}

it('answers as the real file system does, while the power is on', async () => {
  const parent = temporaryDirectory()
  let round = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 60 }), async (steps) => {
      const directory = join(parent, String(round++))
      mkdirSync(directory)
      const clock = new ManualClock()
      const machine = new Machine(new Disk(clock), clock)
      const names = directory.split('/')
      for (const [index] of names.entries()) if (index > 0) await machine.mkdir(names.slice(0, index + 1).join('/'))
      const modelled = await outcomes(machine, directory, steps)
      expect(modelled).toEqual(await outcomes(nodeFileSystem, directory, steps))
    }),
    { numRuns: runs(30) },
  )
})
