import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type ActionDefinitions, defineActions } from '../../../src/event/vocabulary/define-actions.js'
import type { StandardSchema } from '../../../src/event/vocabulary/standard-schema.js'
import { type RecordedAction, Vocabulary } from '../../../src/event/vocabulary/vocabulary.js'
import { Redactor } from '../../../src/redact/redactor.js'

const definitions = defineActions({
  'invoice.refund': { targets: ['invoice', 'customer'], annotations: z.object({ amount: z.number() }) },
  'session.begin': {},
})

interface Line {
  readonly details: Record<string, unknown>
  readonly message: string
}

function made(actions: ActionDefinitions = definitions) {
  const lines: Line[] = []
  const log = (details: object, message: string): void => void lines.push({ details: { ...details }, message })
  const vocabulary = new Vocabulary(actions, new Redactor(), { info: log, warn: log, error: log })
  const check = (action: string, given: Partial<RecordedAction> = {}): void =>
    vocabulary.check({ action, targets: [], annotations: {}, ...given })
  return { vocabulary, check, lines }
}

const whole = { targets: ['customer:7', 'invoice:42'], annotations: { amount: 12 } }

/** A schema that does what a function does. */
function schema(validate: StandardSchema['~standard']['validate']): StandardSchema {
  return { '~standard': { version: 1, vendor: 'test', validate } }
}

describe('a vocabulary', () => {
  it('counts nothing of a record that is as it says, whatever else the record has', () => {
    const { vocabulary, check, lines } = made()
    check('invoice.refund', whole)
    check('invoice.refund', { targets: [...whole.targets, 'other:1'], annotations: { amount: 1, more: true } })
    check('session.begin')
    check('session.begin', whole)
    vocabulary.checkName('invoice.refund')
    expect([vocabulary.errors, lines]).toEqual([0, []])
  })

  it.each<[string, string, Partial<RecordedAction>, RegExp]>([
    ['a misspelt action', 'invoice.refnd', whole, /not in the vocabulary \(option `actions`\)/],
    [
      'a missing target',
      'invoice.refund',
      { ...whole, targets: ['invoice:42'] },
      /without a target of the type 'customer'/,
    ],
    ['a target of a longer type', 'invoice.refund', { ...whole, targets: ['customer:7', 'invoices:42'] }, /'invoice'/],
    ['a wrong annotation', 'invoice.refund', { ...whole, annotations: { amount: '12' } }, /wrong annotations/],
    ['a missing annotation', 'invoice.refund', { ...whole, annotations: {} }, /wrong annotations/],
  ])('counts each case of %s, and logs the first', (_, action, given, message) => {
    const { vocabulary, check, lines } = made()
    for (let count = 1; count <= 3; count++) {
      check(action, given)
      expect(vocabulary.errors).toBe(count)
    }
    expect(lines).toEqual([{ details: expect.objectContaining({ action }), message: expect.stringMatching(message) }])
  })

  it('logs once for each action and kind of mistake', () => {
    const { vocabulary, check, lines } = made()
    for (const action of ['a', 'b', 'a', 'invoice.refund', 'invoice.refund', 'b']) check(action)
    expect(lines.map(({ details, message }) => `${details.action} ${message}`)).toEqual([
      'a fastify-audit-log: an action is not in the vocabulary (option `actions`)',
      'b fastify-audit-log: an action is not in the vocabulary (option `actions`)',
      "invoice.refund fastify-audit-log: an action was recorded without a target of the type 'invoice'",
      "invoice.refund fastify-audit-log: an action was recorded without a target of the type 'customer'",
      'invoice.refund fastify-audit-log: an action was recorded with wrong annotations',
    ])
    expect(vocabulary.errors).toBe(10)
  })

  it('says what a schema finds wrong, bounded and without secrets', () => {
    const issues = [
      { message: 'expected number', path: ['order', { key: 'amount' }, 0] },
      { message: `password=hunter2hunter2 ${'x'.repeat(5000)}` },
      { message: 'third', path: [Symbol('key')] },
      { message: 'fourth' },
    ]
    const { check, lines } = made({ a: { annotations: schema(() => ({ issues })) } })
    check('a')
    const logged = JSON.stringify(lines)
    expect(lines[0]?.details.issues).toEqual([
      'order: amount: 0: expected number',
      expect.stringContaining('password='),
      'Symbol(key): third',
    ])
    expect(logged).not.toContain('hunter2')
    expect(logged.length).toBeLessThan(1000)
  })

  it('shows no start of a secret where it cuts a text, nor a value that a library repeats', () => {
    const token = `ghp_${'16C7e42F292c6912E771'.repeat(2).slice(0, 36)}`
    const cut = `${'x'.repeat(240)} ${token}`
    const repeated = { message: 'Invalid type: Expected number but received "hunter2"', path: ['user', 'password'] }
    const { check, lines } = made({ a: { annotations: schema(() => ({ issues: [{ message: cut }, repeated] })) } })
    check('a')
    check(cut)
    expect(lines[0]?.details.issues).toEqual([expect.stringContaining('xxx'), 'user: password: [REDACTED]'])
    expect(JSON.stringify(lines)).not.toMatch(/ghp_|hunter2/)
  })

  it.each<[string, StandardSchema['~standard']['validate']]>([
    ['throws', () => fail('no')],
    ['is asynchronous', () => Promise.resolve({})],
    ['is asynchronous and rejects', () => Promise.reject(new Error('no'))],
    // @ts-expect-error a schema of JavaScript may return anything
    ['returns nothing', () => undefined],
    // @ts-expect-error a schema of JavaScript may return anything
    ['has issues that are none', () => ({ issues: [null] })],
    ['has issues that cannot be read', () => ({ issues: [new Proxy({ message: '' }, { get: () => fail('trap') })] })],
  ])('counts and logs a schema that %s', (_, validate) => {
    const { vocabulary, check, lines } = made({ a: { annotations: schema(validate) } })
    check('a')
    check('a')
    expect(vocabulary.errors).toBe(2)
    expect(lines).toEqual([
      {
        details: { action: 'a', err: expect.any(Error) },
        message: 'fastify-audit-log: an action was recorded with annotations that its schema could not check',
      },
    ])
  })

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
    'knows no action that every object has: %s',
    (name) => {
      const { vocabulary, check } = made()
      check(name, whole)
      expect(vocabulary.errors).toBe(1)
      const named = made(Object.fromEntries([[name, { targets: ['invoice'] }]]))
      named.check(name, whole)
      expect(named.vocabulary.errors).toBe(0)
      named.check(name)
      expect(named.vocabulary.errors).toBe(1)
    },
  )

  it('never throws, counts every record, and logs a bounded number of names that clients may choose', () => {
    const { vocabulary, check, lines } = made()
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (name) => {
        const before = vocabulary.errors
        check(`x${name}`)
        expect(vocabulary.errors).toBe(before + 1)
      }),
    )
    for (let index = 0; index < 3000; index++) check(`${'y'.repeat(300)}${index}`)
    for (let index = 0; index < 3000; index++) check(`z${index}`)
    expect(lines.length).toBe(1000)
    expect(Math.max(...lines.map((line) => JSON.stringify(line).length))).toBeLessThan(4000)
  })
})

function fail(message: string): never {
  throw new Error(message)
}
