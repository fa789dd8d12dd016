import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, linkSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Follower } from '../../src/reader/follow.js'
import { linesIn } from '../../src/reader/lines.js'
import { temporaryDirectory } from './made.js'

interface World {
  directory: string
  path: string
  clock: { now: number }
  follower: Follower
  come(): Promise<string[]>
}

async function following(text: string, directory = temporaryDirectory()): Promise<World> {
  const path = join(directory, 'audit.log')
  writeFileSync(path, text)
  const clock = { now: 0 }
  const follower = await Follower.open(path, () => clock.now)
  onTestFinished(() => follower.close())
  const come = async (): Promise<string[]> => {
    const lines: string[] = []
    for await (const part of follower.poll()) lines.push(...[...linesIn(part)].map(String))
    return lines
  }
  return { directory, path, clock, follower, come }
}

/** Rotates as the file sink does. */
function rotate({ directory, path }: World, name: string): void {
  writeFileSync(`${path}.next`, '')
  linkSync(path, join(directory, name))
  renameSync(`${path}.next`, path)
}

describe('a follower', () => {
  it('gives lines as they come, and each when it is whole', async () => {
    const world = await following('one\ntw')
    expect(await world.come()).toEqual(['one'])
    expect(await world.come()).toEqual([])
    appendFileSync(world.path, 'o\nthree\n')
    expect(await world.come()).toEqual(['two', 'three'])
  })

  it('goes through rotations, several between two looks included, and misses no line', async () => {
    const world = await following('')
    appendFileSync(world.path, 'one\n')
    rotate(world, 'audit-2026-03-24T17-00-00.000Z.log')
    appendFileSync(world.path, 'two\n')
    rotate(world, 'audit-2026-03-24T17-00-01.000Z.log')
    appendFileSync(world.path, 'three\n')
    rotate(world, 'audit-2026-03-24T17-00-01.000Z-1.log')
    appendFileSync(world.path, 'four\n')
    expect(await world.come()).toEqual(['one', 'two', 'three', 'four'])
    rotate(world, 'audit-2026-03-24T17-00-02.000Z.log')
    appendFileSync(world.path, 'five\n')
    expect(await world.come()).toEqual(['five'])
    expect(await world.come()).toEqual([])
  })

  it('shows nothing again when the clock was set back, so that a newer archive has the name of an older one', async () => {
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'audit-2026-03-24T17-00-09.000Z.log'), 'old\n')
    const world = await following('one\n', directory)
    for (const [second, line] of [
      [5, 'two'],
      [6, 'three'],
      [1, 'four'],
    ]) {
      rotate(world, `audit-2026-03-24T17-00-0${second}.000Z.log`)
      appendFileSync(world.path, `${line}\n`)
      expect(await world.come()).toEqual(line === 'two' ? ['one', line] : [line])
    }
  })

  it('goes through the rotations of logrotate, which gives every file another name', async () => {
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'audit.log.1'), 'old\n')
    const world = await following('one\n', directory)
    expect(await world.come()).toEqual(['one'])
    const { path } = world
    const shift = (next: string): void => {
      for (let number = 3; number > 0; number--) {
        const from = number === 1 ? path : `${path}.${number - 1}`
        if (existsSync(from)) renameSync(from, `${path}.${number}`)
      }
      writeFileSync(path, next)
    }
    shift('two\n')
    shift('three\n')
    world.clock.now = 2000
    expect(await world.come()).toEqual(['two', 'three'])
    shift('four\n')
    world.clock.now = 4000
    expect(await world.come()).toEqual(['four'])
  })

  it('waits while something other than a file stands at its path', async () => {
    const world = await following('one\n')
    expect(await world.come()).toEqual(['one'])
    rmSync(world.path)
    execFileSync('mkfifo', [world.path])
    world.clock.now = 10_000
    expect(await world.come()).toEqual([])
    rmSync(world.path)
    writeFileSync(world.path, 'two\n')
    expect(await world.come()).toEqual(['two'])
  })

  it('misses no line of files that are rotated while it reads', async () => {
    const world = await following('one\n')
    rotate(world, 'audit-2026-03-24T17-00-00.000Z.log')
    appendFileSync(world.path, 'two\n')
    rotate(world, 'audit-2026-03-24T17-00-01.000Z.log')
    appendFileSync(world.path, 'three\n')
    const lines: string[] = []
    for await (const part of world.follower.poll()) {
      lines.push(part.toString().trim())
      if (lines.at(-1) !== 'two') continue
      // By now it has listed the archives, but not yet opened the file at the path.
      rotate(world, 'audit-2026-03-24T17-00-02.000Z.log')
      appendFileSync(world.path, 'four\n')
      rotate(world, 'audit-2026-03-24T17-00-03.000Z.log')
      appendFileSync(world.path, 'five\n')
    }
    expect([...lines, ...(await world.come())]).toEqual(['one', 'two', 'three', 'four', 'five'])
  })

  it('gives no line twice of a file that has its second name and still its first', async () => {
    const world = await following('one\n')
    rotate(world, 'audit-2026-03-24T17-00-00.000Z.log')
    appendFileSync(world.path, 'two\n')
    linkSync(world.path, join(world.directory, 'audit-2026-03-24T17-00-01.000Z.log'))
    expect(await world.come()).toEqual(['one', 'two'])
    expect(await world.come()).toEqual([])
  })

  it('stays with a file that was moved away by hand until nothing comes any more', async () => {
    const world = await following('one\n')
    expect(await world.come()).toEqual(['one'])
    const moved = join(world.directory, 'elsewhere')
    renameSync(world.path, moved)
    expect(await world.come()).toEqual([])
    writeFileSync(world.path, 'three\n')
    appendFileSync(moved, 'two\n')
    world.clock.now = 1900
    expect(await world.come()).toEqual(['two'])
    world.clock.now = 3800
    expect(await world.come()).toEqual([])
    world.clock.now = 3900
    expect(await world.come()).toEqual(['three'])
  })

  it('begins anew with a file that was cut, and waits for one that was deleted', async () => {
    const world = await following('one\ntwo\n')
    expect(await world.come()).toEqual(['one', 'two'])
    truncateSync(world.path, 0)
    appendFileSync(world.path, 'new\n')
    expect(await world.come()).toEqual(['new'])
    rmSync(world.path)
    world.clock.now = 10_000
    expect(await world.come()).toEqual([])
    writeFileSync(world.path, 'newer\n')
    expect(await world.come()).toEqual(['newer'])
  })

  it.each([
    [0, ['one', 'two', 'three']],
    [1, ['two', 'three']],
    [3, ['two', 'three']],
    [4, ['two', 'three']],
    [5, ['three']],
    [13, []],
    [14, []],
  ])('goes to the first line from byte %i on', async (position, lines) => {
    const world = await following('one\ntwo\nthree\n')
    await world.follower.seek(position)
    expect(await world.come()).toEqual(lines)
    appendFileSync(world.path, 'four\n')
    expect(await world.come()).toEqual(['four'])
  })

  it('follows nothing but files', async () => {
    const open = Follower.open(temporaryDirectory(), () => 0)
    await expect(open).rejects.toMatchObject({ code: 'FST_AUDIT_NO_TRAIL' })
  })

  it('passes on the error of the system when there is no file', async () => {
    await expect(Follower.open(join(temporaryDirectory(), 'none'), () => 0)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
