import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineActions } from '../../src/event/vocabulary/define-actions.js'
import { optionsJsonSchema, parseOptions } from '../../src/options/parse.js'

const standard = { version: 1, vendor: 'test', validate: () => ({}) }

describe('the option `actions`', () => {
  it('is none without it', () => {
    expect(parseOptions({}).actions).toBeUndefined()
  })

  it('keeps every action with its schema, whatever its name', () => {
    const annotations = z.object({ amount: z.number() })
    const actions = defineActions({ constructor: {}, 'invoice.refund': { targets: ['invoice'], annotations } })
    const parsed = parseOptions({ actions }).actions
    expect(Object.keys(parsed ?? {})).toEqual(['constructor', 'invoice.refund'])
    expect(parsed?.['invoice.refund']).toEqual({ targets: ['invoice'], annotations })
    expect(parsed?.['invoice.refund']?.annotations).toBe(annotations)
  })

  it.each<[string, unknown]>([
    ['of zod', z.object({})],
    ['that is a function', Object.assign(() => undefined, { '~standard': standard })],
    ['of another library', { '~standard': standard }],
  ])('takes a schema %s', (_, annotations) => {
    expect(() => parseOptions({ actions: { a: { annotations } } })).not.toThrow()
  })

  it.each<[string, unknown, string]>([
    ['a list', ['invoice.refund'], '- actions: ["invoice.refund"] is not an object; write defineActions({'],
    ['an action that is a list', { a: [] }, '- actions.a: [] is not an object; write an action as { … }'],
    ['a misspelt key', { a: { target: ['b'] } }, '- actions.a.target: ["b"] is not an option; did you mean `targets`?'],
    ['an action without a name', { '': {} }, '- actions[""]: {} has no name; write one'],
    ['targets that are no list', { a: { targets: 'invoice' } }, '- actions.a.targets: "invoice" is not a list'],
    ['a type of nothing', { a: { targets: [''] } }, '- actions.a.targets[0]: "" is empty'],
    [
      'a schema that is none',
      { a: { annotations: {} } },
      '- actions.a.annotations: {} is not a Standard Schema; write',
    ],
    ['a shape', { a: { annotations: { amount: z.number() } } }, 'is not a Standard Schema'],
    ['a schema without a check', { a: { annotations: { '~standard': {} } } }, 'is not a Standard Schema'],
  ])('refuses %s', (_, actions, line) => {
    expect(() => parseOptions({ actions })).toThrow(line)
  })

  it('is in the JSON Schema without what JSON cannot hold', () => {
    const { properties } = z.object({ properties: z.object({ actions: z.unknown() }) }).parse(optionsJsonSchema())
    expect(properties.actions).toMatchObject({
      type: 'object',
      additionalProperties: { properties: { targets: { type: 'array' } }, additionalProperties: false },
    })
    expect(JSON.stringify(properties.actions)).not.toContain('annotations')
  })
})
