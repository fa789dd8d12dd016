import { describe, it, vi } from 'vitest'
import { FAULTS, failEveryCall, onDisk } from '../sinks/file/every-call.js'

vi.mock('../../src/clock.js', () => import('../support/current-clock.js'))

describe('says the truth about every entry, keeps files whole and works again, whichever call meets with', () => {
  it.each(Object.keys(FAULTS))('%s', async (name) => {
    await failEveryCall(name, true)
  })

  it.each(Object.keys(FAULTS).filter((name) => !/EACCES|EMFILE/.test(name)))('%s, without fsync', async (name) => {
    await failEveryCall(name, false)
  })

  it.each(['ENOSPC, until there is room', 'a hang'])('%s, on the real disk', async (name) => {
    await failEveryCall(name, false, onDisk())
  })
})
