import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { ArchiveNames } from '../../../src/sinks/file/names.js'
import { linesOf, temporaryDirectory, world } from './world.js'

const CHILD = fileURLToPath(new URL('./kill-child.ts', import.meta.url))

/** Runs a writer and kills it with SIGKILL after some acknowledgements; resolves with the last number it printed. */
async function writeUntilKilled(path: string, from: number, acknowledgements: number, fsync: boolean): Promise<number> {
  const args = ['--import', 'tsx', CHILD, path, String(from), fsync ? 'fsync' : '']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  let last = -1
  let count = 0
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line)
    if (++count === acknowledgements) child.kill('SIGKILL')
  }
  // Its output ends before it does, and until then its lock is held.
  expect(await exited).toEqual([null, 'SIGKILL'])
  expect(count).toBeGreaterThanOrEqual(acknowledgements)
  return last
}

it.each([false, true])(
  'loses and repeats nothing that was acknowledged, whenever it is killed (fsync: %s)',
  async (fsync) => {
    const path = join(temporaryDirectory(), 'audit.log')
    const acknowledged: Array<{ from: number; to: number }> = []
    for (const [round, count] of [1, 40, 173].entries()) {
      const from = round * 1_000_000
      acknowledged.push({ from, to: await writeUntilKilled(path, from, count, fsync) })
    }
    // Opening repairs what the last one left.
    await (await world().opened({ path })).close?.()
    const names = new ArchiveNames(path)
    const files = [...names.among(readdirSync(names.directory)).map(({ name }) => name), names.active]
    expect(files.length).toBeGreaterThan(10)
    const lines = files.flatMap((name) => linesOf(readFileSync(join(names.directory, name), 'utf8')))
    const numbers: number[] = lines.map((line) => JSON.parse(line).number)
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
    const stored = new Set(numbers)
    for (const { from, to } of acknowledged) {
      for (let number = from; number <= to; number++) expect(stored.has(number)).toBe(true)
    }
  },
)
