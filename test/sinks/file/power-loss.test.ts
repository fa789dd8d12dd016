import { describe, expect, it, vi } from 'vitest'
import { lossesOf } from './model/power-loss.js'

vi.mock('../../../src/clock.js', () => import('../../support/current-clock.js'))

describe('power loss, on a disk that keeps some of what was not synced', () => {
  it('takes nothing acknowledged with `fsync: true`, tears no line, and leaves a lock that the next boot takes', async () => {
    expect(await lossesOf({ from: 1, to: 200, fsync: true })).toEqual([])
  })

  it('takes some of what was acknowledged without, or the disk would forget nothing', async () => {
    expect((await lossesOf({ from: 1, to: 50, fsync: false })).length).toBeGreaterThan(10)
  })
})
