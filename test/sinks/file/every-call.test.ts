import { describe, it, vi } from 'vitest'
import { failEveryCall, onDisk } from './every-call.js'

vi.mock('../../../src/clock.js', () => import('../../support/current-clock.js'))

/** The rest, and the others on the real disk, are among the long tests. */
const SHORT = ['ENOSPC, until there is room', 'EIO, once', 'a short write, and another', 'a hang']

describe('says the truth about every entry, keeps files whole and works again, whichever call meets with', () => {
  it.each(SHORT)('%s', async (name) => {
    await failEveryCall(name, true)
  })

  it('a short write, and no room, on the real disk', async () => {
    await failEveryCall('a short write, and no room', false, onDisk())
  })
})
