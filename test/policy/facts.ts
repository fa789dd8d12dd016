import fc from 'fast-check'
import type { Outcome } from '../../src/event/action.js'
import type { ActionFacts, Facts } from '../../src/policy/facts.js'

const OUTCOMES: readonly Outcome[] = ['success', 'failure', 'denied']

const some = (...all: string[]) => fc.array(fc.constantFrom(...all), { maxLength: 2 })

/** Lists of patterns over the facts below. */
export const anyPatterns = {
  actions: some('*', 'invoice.*', 'invoice.refund', '{job,user}.*', 'Job.*', '*.run'),
  targets: some('*', 'invoice:*', 'invoice:{1..2}', 'user:7', '*:7', 'invoice'),
  actors: some('*', 'u1', 'u*', '{u1,u2}', 'U1'),
  namespaces: some('*', 'a', '{a,b}', 'A'),
}

export const anyOutcomes = fc.uniqueArray(fc.constantFrom(...OUTCOMES), { maxLength: 2 })

const who = { actor: fc.constantFrom('u1', 'u2', 'anonymous'), namespace: fc.constantFrom('a', 'b', 'default') }
const action = fc.constantFrom('invoice.refund', 'invoice.send', 'job.run', '')
const targets = fc.array(fc.constantFrom('invoice:1', 'invoice:3', 'user:7', 'user:'), { maxLength: 2 })
const outcome = fc.option(fc.constantFrom(...OUTCOMES), { nil: undefined })

export const anyActionFacts: fc.Arbitrary<ActionFacts> = fc.record({ ...who, action, targets, outcome })

/** Facts of a request, which may have no action. */
export const anyFacts: fc.Arbitrary<Facts> = fc.record({
  ...who,
  action: fc.option(action, { nil: undefined }),
  targets,
  outcome,
})
