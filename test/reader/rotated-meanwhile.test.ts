import { linkSync, renameSync, writeFileSync } from 'node:fs'
import type * as promises from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { found, idOf, linesOf, temporaryDirectory, write } from './made.js'

const meanwhile = vi.hoisted((): Record<'before' | 'after', () => void> => ({ before: () => {}, after: () => {} }))

vi.mock('node:fs/promises', async (original) => {
  const fs: typeof promises = await original()
  const readdir = async (path: string): Promise<string[]> => {
    meanwhile.before()
    const names = await fs.readdir(path)
    meanwhile.after()
    return names
  }
  return { ...fs, readdir }
})

it.each(['before', 'after'] as const)(
  'misses nothing of a trail that is rotated just %s its directory is read',
  async (when) => {
    const directory = temporaryDirectory()
    const path = write(join(directory, 'audit.log'), linesOf({ id: idOf(1), received: 0, completed: 1 }))
    meanwhile[when] = () => {
      meanwhile[when] = () => {}
      writeFileSync(`${path}.next`, '')
      linkSync(path, join(directory, 'audit-2026-03-24T18-00-00.000Z.log'))
      renameSync(`${path}.next`, path)
    }
    expect(await found(path)).toEqual([idOf(1)])
  },
)
