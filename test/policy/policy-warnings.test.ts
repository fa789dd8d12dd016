import { describe, expect, it } from 'vitest'
import { METADATA } from '../../src/event/level.js'
import { policyWarnings, type WarnedOptions } from '../../src/policy/policy-warnings.js'
import { plain } from '../support/folding.js'

const filter = { endpoints: ['*'], stages: ['*' as const], operations: ['GET'] }
const none: WarnedOptions = { filters: [], rules: [], level: METADATA, sinks: [] }
const given = () => undefined

function warnings(options: Partial<WarnedOptions>): string[] {
  return policyWarnings({ ...none, ...options }, plain)
}

describe('policyWarnings', () => {
  it('says nothing of options that decide something', () => {
    const sinks = [{ name: 'a', filters: [filter], deliveryGuarantee: 'enforced' as const }]
    expect(warnings({ sinks, filters: [filter], rules: [{ operations: ['GET'], level: 'none' }] })).toEqual([])
  })

  it('names the filters and rules that look at an actor or a namespace that nothing gives', () => {
    const who = { actors: ['u*'], namespaces: ['prod', 'dev'] }
    const options = { filters: [{ ...filter, ...who }], rules: [{ ...who, name: 'x', level: 'none' as const }] }
    const of = (what: string) => [
      expect.stringContaining(`Filter 1: \`${what}\` match no request`),
      expect.stringContaining(`Rule "x": \`${what}\` match no request`),
    ]
    expect(warnings({ ...options, identity: given })).toEqual(of('namespaces'))
    expect(warnings({ ...options, namespace: given })).toEqual(of('actors'))
    expect(warnings({ ...options, identity: given, namespace: given })).toEqual([])
  })

  it('says nothing of patterns that match who is there without an option, nor of actions, which have an actor', () => {
    const who = { actors: ['anon*'], namespaces: ['*'] }
    const action = { type: 'ActionEvent' as const, actions: ['*'], actors: ['u1'], namespaces: ['prod'] }
    expect(warnings({ filters: [{ ...filter, ...who }, action], rules: [{ ...who, level: 'none' }] })).toEqual([])
  })

  it('finds those of a sink too', () => {
    const odd = { ...filter, operations: ['FETCH'] }
    const sinks = [{ name: 'a', filters: [odd], only: [{ operations: ['FETCH'] }] }]
    expect(warnings({ sinks })).toEqual([
      expect.stringMatching(/^Sink "a": only\[0\]: operation "FETCH"/),
      expect.stringMatching(/^Filter 1: operation "FETCH"/),
    ])
  })
})
