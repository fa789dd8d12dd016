import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Stage } from '../../src/event/event.js'
import { ActionFilters } from '../../src/policy/action-filter.js'
import type { ActionFacts } from '../../src/policy/facts.js'
import type { ActionFilterOptions } from '../../src/policy/filter-options.js'
import { compileGlob, expandBraces, PatternError } from '../../src/policy/glob.js'
import { EXCLUDES_BOTH, EXCLUDES_COMPLETE, EXCLUDES_RECEIVED } from '../../src/policy/stages.js'
import { runs } from '../support/runs.js'
import { anyActionFacts, anyOutcomes, anyPatterns } from './facts.js'

function matches(patterns: readonly string[], text: string): boolean {
  return patterns.flatMap(expandBraces).some((glob) => compileGlob(glob)(text))
}

/** The definition, word by word: each list that is given matches; of targets, each one. */
function naive(filters: readonly ActionFilterOptions[], facts: ActionFacts): number {
  const excludes = (stage: Stage) =>
    filters.some(
      ({ actions, targets, outcomes, stages, actors, namespaces }) =>
        matches(actions, facts.action) &&
        (actors === undefined || matches(actors, facts.actor)) &&
        (namespaces === undefined || matches(namespaces, facts.namespace)) &&
        (targets === undefined ||
          (facts.targets.length > 0 && facts.targets.every((target) => matches(targets, target)))) &&
        (stages === undefined || stages.includes('*') || stages.includes(stage)) &&
        (outcomes === undefined ||
          (stage === 'OperationComplete' && facts.outcome !== undefined && outcomes.includes(facts.outcome))),
    )
  return (
    (excludes('OperationReceived') ? EXCLUDES_RECEIVED : 0) | (excludes('OperationComplete') ? EXCLUDES_COMPLETE : 0)
  )
}

const { actions, targets, actors, namespaces } = anyPatterns
const lists = {
  targets,
  outcomes: anyOutcomes,
  stages: fc.constantFrom<(Stage | '*')[]>(['*'], ['OperationReceived'], ['OperationComplete'], []),
  actors,
  namespaces,
}

/** A filter with at most two more lists: one with more hardly ever matches. */
const anyFilter: fc.Arbitrary<ActionFilterOptions> = fc
  .tuple(actions, fc.record(lists), fc.subarray(Object.keys(lists), { maxLength: 2 }))
  .map(([list, all, named]) => ({
    type: 'ActionEvent',
    actions: list,
    ...Object.fromEntries(Object.entries(all).filter(([key]) => named.includes(key))),
  }))

describe('filters of actions', () => {
  it('exclude what the definition excludes, whatever their number and order', () => {
    const seen = new Map<number, number>()
    fc.assert(
      fc.property(fc.array(anyFilter, { maxLength: 3 }), anyActionFacts, (filters, facts) => {
        const expected = naive(filters, facts)
        expect(new ActionFilters(filters).excluded(facts)).toBe(expected)
        seen.set(expected, (seen.get(expected) ?? 0) + 1)
      }),
      { numRuns: runs(1500) },
    )
    const kinds = [0, EXCLUDES_RECEIVED, EXCLUDES_COMPLETE, EXCLUDES_BOTH]
    expect(Math.min(...kinds.map((kind) => seen.get(kind) ?? 0))).toBeGreaterThan(0)
  })

  it('exclude no action of which one target matches and another does not', () => {
    const filters = new ActionFilters([{ type: 'ActionEvent', actions: ['*'], targets: ['draft:*'] }])
    const facts: ActionFacts = { actor: 'u1', namespace: 'a', action: 'x', targets: ['draft:1'], outcome: undefined }
    expect(filters.excluded(facts)).toBe(EXCLUDES_BOTH)
    expect(filters.excluded({ ...facts, targets: ['draft:1', 'invoice:2'] })).toBe(0)
    expect(filters.excluded({ ...facts, targets: [] })).toBe(0)
  })

  it('have nothing to do with filters of requests', () => {
    const filters = new ActionFilters([{ endpoints: ['*'], stages: ['*'], operations: ['*'] }])
    expect(filters.excluded({ actor: 'u', namespace: 'a', action: 'x', targets: [], outcome: 'success' })).toBe(0)
  })

  it('throw a PatternError for braces that are not sound', () => {
    expect(() => new ActionFilters([{ type: 'ActionEvent', actions: ['{a}'] }])).toThrow(PatternError)
  })
})
