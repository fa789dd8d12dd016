import { expect, it } from 'vitest'
import { compiled } from '../support/process/compiled.js'
import { expectKillsSurvived } from '../support/process/expect-kills.js'

// A selection of test/faults/kill.fault.ts.

const program = await compiled()

it('has both lines of every reply, whenever the server is killed', async () => {
  const { lost } = await expectKillsSurvived(program, 8, Date.now(), { rotateBytes: 20_000 })
  expect(lost).toBe(0)
})

it('lacks only the end of a trail that nobody waits for', async () => {
  await expectKillsSurvived(program, 3, Date.now(), { rotateBytes: 20_000, deliveryGuarantee: 'best-effort' })
})
