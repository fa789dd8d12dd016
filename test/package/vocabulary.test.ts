import { describe, expect, it } from 'vitest'
import { compile } from '../support/compile.js'

const VOCABULARY = `
import Fastify, { type FastifyRequest } from 'fastify'
import audit, { type ActionName, defineActions } from 'fastify-audit-log'
import { type ExpectedAudit } from 'fastify-audit-log/testing'
import { z } from 'zod'

export const actions = defineActions({
  'invoice.refund': { targets: ['invoice'], annotations: z.object({ amount: z.number() }) },
  'invoice.move': { targets: ['invoice', 'customer'] },
  'session.begin': {},
  'session.note': { annotations: z.object({ note: z.string().optional() }) },
})

declare module 'fastify-audit-log' {
  interface AuditVocabulary {
    actions: typeof actions
  }
}

const app = Fastify()
app.register(audit, { actions })
declare const request: FastifyRequest
const invoice = { type: 'invoice', id: 42 } as const
const customer = { type: 'customer', id: 7 } as const
`

const RIGHT = [
  "app.audit.record({ action: 'invoice.refund', targets: invoice, annotations: { amount: 1 } })",
  "app.audit.record({ action: 'invoice.refund', targets: { type: 'invoice', id: 'i-1' }, annotations: { amount: 1 } })",
  "app.audit.record({ action: 'invoice.refund', targets: [invoice, customer], annotations: { amount: 1 }, outcome: 'denied' })",
  "app.audit.record({ action: 'invoice.move', targets: [invoice, customer, { type: 'other', id: 1 }], actor: { accessorId: 'a' } })",
  "app.audit.record({ action: 'session.begin' })",
  "app.audit.record({ action: 'session.begin', targets: [customer], annotations: { any: 'thing' } })",
  "app.audit.record({ action: 'session.note', annotations: { note: 'x' } })",
  "app.audit.record({ action: 'session.note' })",
  "app.audit.run({ action: 'invoice.refund' }, async (work) => work.target(invoice))",
  "app.audit.run({ action: 'invoice.refund', targets: invoice, annotations: {} }, () => 1)",
  "request.audit.record({ action: 'session.begin' })",
  "request.audit.action('invoice.refund')",
  "app.get('/', { config: { audit: { action: 'session.begin' } } }, () => 1)",
  "app.get('/', { config: { audit: false } }, () => 1)",
  "export const name: ActionName = 'session.begin'",
  "export const expected: ExpectedAudit = { action: 'session.begin' }",
  'export const pattern: ExpectedAudit = { action: /^session/ }',
]

const WRONG: ReadonlyArray<readonly [line: string, message: RegExp]> = [
  [
    "app.audit.record({ action: 'invoice.refnd', targets: invoice, annotations: { amount: 1 } })",
    /Did you mean '"invoice.refund"'/,
  ],
  ["app.audit.run({ action: 'sesion.begin' }, () => 1)", /Did you mean '"session.begin"'/],
  ["request.audit.record({ action: 'sesion.begin' })", /Did you mean '"session.begin"'/],
  ["request.audit.action('sesion.begin')", /'"sesion.begin"' is not assignable/],
  ["app.get('/', { config: { audit: { action: 'sesion.begin' } } }, () => 1)", /./],
  ["export const name: ActionName = 'sesion.begin'", /Did you mean '"session.begin"'/],
  ["export const expected: ExpectedAudit = { action: 'sesion.begin' }", /./],
  ["app.audit.record({ action: 'invoice.refund', annotations: { amount: 1 } })", /Property 'targets' is missing/],
  [
    "app.audit.record({ action: 'invoice.refund', targets: [], annotations: { amount: 1 } })",
    /Source has 0 element\(s\) but target requires 1/,
  ],
  [
    "app.audit.record({ action: 'invoice.refund', targets: customer, annotations: { amount: 1 } })",
    /'"customer"' is not assignable to type '"invoice"'/,
  ],
  [
    "app.audit.record({ action: 'invoice.move', targets: [invoice] })",
    /Source has 1 element\(s\) but target requires 2/,
  ],
  ["app.audit.record({ action: 'invoice.move', targets: invoice })", /./],
  ["app.audit.record({ action: 'invoice.refund', targets: invoice })", /Property 'annotations' is missing/],
  [
    "app.audit.record({ action: 'invoice.refund', targets: invoice, annotations: { amount: '1' } })",
    /'string' is not assignable to type 'number'/,
  ],
  [
    "app.audit.record({ action: 'invoice.refund', targets: invoice, annotations: { amount: 1, amout: 1 } })",
    /Did you mean to write 'amount'/,
  ],
  [
    "app.audit.run({ action: 'invoice.refund', annotations: { amount: '1' } }, () => 1)",
    /'string' is not assignable to type 'number'/,
  ],
  [
    "app.audit.run({ action: 'invoice.refund', targets: customer }, () => 1)",
    /'"customer"' is not assignable to type '"invoice"'/,
  ],
  ["app.audit.record({ action: 'session.begin', actr: { accessorId: 'a' } })", /Did you mean to write 'actor'/],
]

describe('a vocabulary that the compiler knows', () => {
  it('refuses what is not as it says, each in a message that says why, and nothing else', async () => {
    const lines = [...RIGHT, ...WRONG.map(([line]) => line)].map((line, index) =>
      line.replace(/(?<=export const )\w+/, `$&${index}`),
    )
    const [messages = []] = await compile([`${VOCABULARY}${lines.join('\n')}\n`])
    const first = VOCABULARY.split('\n').length
    const messagesAt = (line: number): string =>
      messages.filter((message) => message.startsWith(`(${first + line},`)).join('\n')

    const refused = RIGHT.map((_, line) => messagesAt(line)).filter((message) => message !== '')
    expect(refused).toEqual([])
    const missed = WRONG.filter(([, message], index) => !message.test(messagesAt(RIGHT.length + index)))
    expect(missed.map(([line]) => line)).toEqual([])
    expect(messages).toHaveLength(WRONG.length)
  }, 120_000)

  it('is not needed: without one an action is any text', async () => {
    const [messages] = await compile([
      `import { defineActions, type ActionName, type AppAudit } from 'fastify-audit-log'
      declare const audit: AppAudit
      export const name: ActionName = String(Date.now())
      defineActions({ 'invoice.refund': { targets: ['invoice'] } })
      audit.record({ action: 'invoice.refund' })
      audit.record({ action: name, targets: { type: 'a', id: 1 }, annotations: { b: 1 } })
      `,
    ])
    expect(messages).toEqual([])
  }, 120_000)
})
