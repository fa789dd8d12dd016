import Fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { FilterOptions, MemorySink, SelectorOptions, Target } from '../../src/index.js'
import audit, { memorySink } from '../../src/index.js'
import { audited } from '../support/app.js'

const DRAFTS: FilterOptions = { type: 'ActionEvent', actions: ['*'], targets: ['draft:*'] }
const ANY: FilterOptions = { type: 'ActionEvent', actions: ['*'], targets: ['*'] }
const INVOICES: SelectorOptions = { targets: ['invoice:*'] }

const drafts = (count: number): Target[] => Array.from({ length: count }, (_, id) => ({ type: 'draft', id }))
const invoice: Target = { type: 'invoice', id: 42 }

function actions({ actions }: MemorySink): string[] {
  return actions.map(({ payload }) => payload.action)
}

async function recorded(targets: unknown, filter: FilterOptions = DRAFTS) {
  const { app, sink } = await audited({ options: { filters: [filter] } })
  await app.ready()
  await app.audit.record({ action: 'move', targets: targets as never })
  return actions(sink)
}

describe('a filter by targets', () => {
  it.each<[string, unknown]>([
    ['beyond those that a record holds', [...drafts(16), invoice]],
    ['beyond those that are looked at', [...drafts(3000), invoice]],
    ['among which one is given wrongly', [...drafts(1), { type: 'invoice', id: undefined }]],
  ])('excludes no action that has other targets %s', async (_, targets) => {
    expect(await recorded(targets)).toEqual(['move'])
  })

  it('excludes an action whose targets all match, however many a record holds', async () => {
    expect(await recorded(drafts(17))).toEqual([])
  })

  it.each<[string, Target | Target[]]>([
    ['one that it excludes', { type: 'draft', id: 1 }],
    ['one that it keeps', invoice],
    ['a list that it keeps', [...drafts(16), invoice]],
  ])('is explained as it decides, given %s', async (_, targets) => {
    const { app } = await audited({ options: { filters: [DRAFTS] } })
    await app.ready()
    const isRecorded = app.audit.explainAction({ action: 'move', targets }).sinks.memory?.complete
    expect(isRecorded).toBe((await recorded(targets)).length === 1)
  })

  it('does not take a target that is given wrongly for one', async () => {
    expect(await recorded([{ type: 'invoice' }], ANY)).toEqual(['move'])
  })
})

describe("a sink's `only` by targets", () => {
  it('meets those beyond the ones that a record holds', async () => {
    const [invoices, rest] = [memorySink(), memorySink()]
    const app = Fastify()
    onTestFinished(() => app.close())
    await app.register(audit, {
      sinks: [
        { name: 'invoices', sink: invoices, only: [INVOICES] },
        { name: 'rest', sink: rest },
      ],
    })
    await app.ready()
    await app.audit.record({ action: 'move', targets: [...drafts(16), invoice] })
    await app.audit.record({ action: 'write', targets: drafts(17) })
    expect([actions(invoices), actions(rest)]).toEqual([['move'], ['move', 'write']])
  })
})

describe('targets', () => {
  it('are told apart by type and id, wherever there are colons', async () => {
    const { app, sink } = await audited()
    await app.ready()
    const targets: Target[] = [
      { type: 'urn', id: 'user:7' },
      { type: 'urn:user', id: '7' },
    ]
    await app.audit.record({ action: 'move', targets: [...targets, ...targets] })
    expect(sink.actions[0]?.payload.targets).toEqual(targets)
  })
})
