import { describe, expect, it } from 'vitest'
import { lossesOf } from './model/power-loss.js'

const SEEDS = 300

describe('power loss, on a disk that keeps some of what was not synced', () => {
  it('takes nothing acknowledged with `fsync: true`, tears no line, and leaves a lock that the next boot takes', async () => {
    expect(await lossesOf({ from: 1, to: SEEDS, fsync: true })).toEqual([])
  })

  it('takes some of what was acknowledged without, or the disk would forget nothing', async () => {
    expect((await lossesOf({ from: 1, to: SEEDS, fsync: false })).length).toBeGreaterThan(SEEDS / 4)
  })
})
