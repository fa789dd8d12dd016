import { linkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ArchiveNames } from '../../../src/sinks/file/names.js'
import type { FaultyFs } from './faulty-fs.js'
import { entry, HOUR, START, type World, world } from './world.js'

const MANY = 1000
/** Every write begins with a rotation, and `idle` with a look for archives that are to go. */
const BUSY = { rotateBytes: 1, rotateMaxFiles: 2 * MANY, rotateMaxAge: 10 * MANY * HOUR }

function archive(world: World, count: number): void {
  const names = new ArchiveNames(world.path)
  const first = join(world.directory, names.name(START - HOUR, 0))
  if (count > 0) writeFileSync(first, '{"text":"old"}\n')
  for (let n = 1; n < count; n++) linkSync(first, join(world.directory, names.name(START - HOUR * (n + 1), 0)))
}

/** The calls of `act`, whatever the names that they were given. */
async function callsOf(fs: FaultyFs, act: () => Promise<unknown> | undefined): Promise<string[]> {
  fs.calls.length = 0
  await act()
  return fs.calls.map((call) => call.slice(0, call.indexOf(' ')))
}

async function life(count: number, whenOpen: (path: string) => void = () => undefined): Promise<string[][]> {
  const here = world()
  const { fs, clock, context } = here
  archive(here, count)
  const sink = here.sink(BUSY)
  const opening = await callsOf(fs, () => sink.open?.(context))
  await sink.write([entry('a')])
  whenOpen(here.path)
  clock.advance(1)
  const rotation = await callsOf(fs, () => sink.write([entry('b'), entry('c')]))
  const idle = await callsOf(fs, () => sink.idle?.())
  expect(here.names().filter((name) => name.startsWith('audit-'))).toHaveLength(count + 2)
  return [opening, rotation, idle]
}

describe('a thousand archives', () => {
  it('take no more calls to boot, to rotate and to look for expired ones than none', async () => {
    const without = await life(0)
    expect(without[1]).toContain('link')
    expect(without[2]).toContain('readdir')
    expect(await life(MANY)).toEqual(without)
  })

  it("are not looked at one by one because somebody's backup has linked the active file", async () => {
    const backUp = (path: string): void => linkSync(path, `${path}.backup`)
    expect(await life(MANY, backUp)).toEqual(await life(0))
  })

  it('are looked at once when the active file was found with a second name, and never again for its successors', async () => {
    const here = world()
    const { fs, clock, context } = here
    archive(here, MANY)
    writeFileSync(here.path, `${entry('a').line}\n`)
    linkSync(here.path, `${here.path}.backup`)
    const sink = here.sink(BUSY)
    expect((await callsOf(fs, () => sink.open?.(context))).length).toBeGreaterThan(MANY)
    await sink.write([entry('b'), entry('c')])
    linkSync(here.path, `${here.path}.backup-2`)
    clock.advance(1)
    const rotation = await callsOf(fs, () => sink.write([entry('d')]))
    expect(rotation).toContain('link')
    expect(rotation.length).toBeLessThan(20)
  })
})
