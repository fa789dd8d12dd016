import { expect, it, vi } from 'vitest'
import { lossesOf } from '../sinks/file/model/power-loss.js'

vi.mock('../../src/clock.js', () => import('../support/current-clock.js'))

it('takes nothing acknowledged with `fsync: true`, over thousands of seeds', async () => {
  expect(await lossesOf({ from: 1001, to: 4000, fsync: true })).toEqual([])
})
