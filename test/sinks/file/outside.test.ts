import { renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { AuditSinkOpenFailed } from '../../../src/errors.js'
import { entry, world } from './world.js'

it('lets go of everything when a file comes to stand in its directory’s place, and works when that is gone', async () => {
  const { opened, directory, clock, fs, texts } = world()
  const above = join(directory, 'below')
  const sink = await opened({ path: join(above, 'audit.log') })
  await sink.write([entry('a')])
  renameSync(above, join(directory, 'moved'))
  writeFileSync(above, '')
  clock.advance(1000)
  fs.calls.length = 0
  const refused = sink.write([entry('b')])
  await expect(refused).rejects.toBeInstanceOf(AuditSinkOpenFailed)
  await expect(refused).rejects.toThrow('ENOTDIR')
  // What stays open keeps a disk that was unmounted from being mounted anew.
  expect(fs.calls.filter((call) => call.startsWith('close audit.log'))).toHaveLength(2)
  unlinkSync(above)
  await sink.write([entry('c')])
  expect(texts('below/audit.log')).toEqual(['c'])
  expect(texts('moved/audit.log')).toEqual(['a'])
})
