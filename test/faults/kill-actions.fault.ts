import { expect, it } from 'vitest'
import { compiled } from '../support/process/compiled.js'
import { expectActionsSurvive, FLOOD } from '../support/process/kill-actions.js'

const KILLS = 20
const ROUNDS = 5
const seed = Number(process.env.FAULT_SEED ?? Date.now())

const program = await compiled(FLOOD)

it.each(Array.from({ length: ROUNDS }, (_, round) => round))(
  'has what resolved, and the beginning of all work that began, whenever the program is killed (%i)',
  async (round) => {
    const { begun, stored, done } = await expectActionsSurvive(program, KILLS, seed + round)
    expect(stored.length).toBeGreaterThan(KILLS)
    // Some work was open when its program was killed.
    expect(begun.length).toBeGreaterThan(done.length)
  },
)
