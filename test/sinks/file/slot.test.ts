import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { safeHostname } from '../../../src/sinks/file/slot.js'
import { entry, world } from './world.js'

describe('{slot}', () => {
  it('is the lowest number whose lock is free, and the same again after a restart', async () => {
    const { opened, directory, texts, names } = world()
    const path = join(directory, 'audit-{slot}.log')
    const first = await opened({ path })
    const second = await opened({ path })
    const third = await opened({ path })
    expect([first.path, second.path, third.path]).toEqual([0, 1, 2].map((slot) => join(directory, `audit-${slot}.log`)))
    await second.write([entry('before')])
    await second.close?.()
    const again = await opened({ path })
    expect(again.path).toBe(join(directory, 'audit-1.log'))
    await again.write([entry('after')])
    expect(texts('audit-1.log')).toEqual(['before', 'after'])
    expect(names().filter((name) => name.endsWith('.log'))).toHaveLength(3)
  })

  it('keeps the archives of each apart', async () => {
    const { opened, directory, names } = world()
    const path = join(directory, 'audit-{slot}.log')
    const more = { path, rotateBytes: 1, rotateMaxFiles: 1 }
    const [first, second] = [await opened(more), await opened(more)]
    for (const sink of [first, second, first, second]) {
      await sink.write([entry('a'), entry('b')])
      await sink.idle?.()
    }
    expect(names().filter((name) => /Z(-\d+)?\.log$/.test(name))).toEqual([
      'audit-0-2026-03-24T17-09-35.704Z-1.log',
      'audit-1-2026-03-24T17-09-35.704Z-1.log',
    ])
  })

  it('may stand in a directory’s name', async () => {
    const { opened, directory } = world()
    const sink = await opened({ path: join(directory, '{slot}', 'audit.log') })
    expect(sink.path).toBe(join(directory, '0', 'audit.log'))
  })
})

describe('{hostname}', () => {
  it('is replaced', async () => {
    const { opened, directory } = world()
    const sink = await opened({ path: join(directory, 'audit-{hostname}.log') })
    expect(sink.path).toBe(join(directory, `audit-${safeHostname(hostname())}.log`))
  })

  it.each([
    ['web-1.example.org', 'web-1.example.org'],
    ['../../etc', '.._.._etc'],
    ['..', 'host'],
    ['', 'host'],
    ['a b{slot}\0', 'a_b_slot__'],
  ])('%j becomes %j, which is safe in a path', (name, safe) => {
    expect(safeHostname(name)).toBe(safe)
  })
})
