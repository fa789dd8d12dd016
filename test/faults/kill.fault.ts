import { expect, it } from 'vitest'
import { compiled } from '../support/process/compiled.js'
import { expectKillsSurvived } from '../support/process/expect-kills.js'
import type { SinkSettings } from '../support/process/kills.js'

const KILLS = 20
const seed = Number(process.env.FAULT_SEED ?? Date.now())

const program = await compiled()

const ENFORCED: Array<Partial<SinkSettings>> = [
  { rotateBytes: 4000 },
  { rotateBytes: 20_000 },
  { rotateBytes: 20_000 },
  { rotateBytes: 20_000, fsync: true },
  { rotateBytes: 100_000 },
  { rotateBytes: 100_000 },
  { rotateBytes: 100_000, fsync: true },
  { rotateBytes: 1_000_000 },
  { rotateBytes: 50_000, rotateMaxFiles: 1_000_000, rotateMinAge: '1h' },
  { rotateBytes: 50_000, maxQueue: 100_000 },
]

it.each(ENFORCED.map((options, index) => [index, options] as const))(
  'has both lines of every reply, whenever the server is killed (%i: %j)',
  async (index, options) => {
    const { lost, files } = await expectKillsSurvived(program, KILLS, seed + index, options)
    expect(files).toBeGreaterThan(1)
    expect(lost).toBe(0)
  },
)

it('lacks only the end of a best-effort trail, whenever the server is killed', async () => {
  const options = { rotateBytes: 20_000, deliveryGuarantee: 'best-effort' } as const
  const { lost, files } = await expectKillsSurvived(program, KILLS, seed + ENFORCED.length, options)
  // Otherwise there was nothing to see.
  expect(files).toBeGreaterThan(1)
  expect(lost).toBeGreaterThan(0)
})
