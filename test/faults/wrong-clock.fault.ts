import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { deletesWhatIsDue, keepsWhatIsYoung } from '../sinks/file/clock-model.js'

vi.mock('../../src/clock.js', () => import('../support/current-clock.js'))

// The lock's timer goes by the clock of the model.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))
afterEach(() => void vi.useRealTimers())

it('deletes no archive that is younger than rotateMinAge in real time, whatever the clock does', async () => {
  await expect(keepsWhatIsYoung(20_000)).resolves.toBeUndefined()
}, 300_000)

it('deletes every archive that is due, with a clock that is right', async () => {
  await expect(deletesWhatIsDue(5000)).resolves.toBeUndefined()
}, 300_000)
