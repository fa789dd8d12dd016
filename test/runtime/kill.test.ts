import { expect, it } from 'vitest'
import { compiled } from '../support/process/compiled.js'
import { expectActionsSurvive, FLOOD } from '../support/process/kill-actions.js'

// A selection of test/faults/kill-actions.fault.ts.

const program = await compiled(FLOOD)

it('has what resolved, and the beginning of all work that began, whenever the program is killed', async () => {
  const { done } = await expectActionsSurvive(program, 4, Date.now())
  expect(done.length).toBeGreaterThan(0)
})
