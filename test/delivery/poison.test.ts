import Fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import audit, { type DeliveryGuarantee, type FormatFunction, type MemorySink, memorySink } from '../../src/index.js'
import { faultySink } from '../../src/testing.js'
import { validateLine } from '../support/schema.js'

const REQUESTS = 100
const ODD = 42

interface Row {
  /** The record of the one request that the sink refuses. */
  poison: string
  guarantee: DeliveryGuarantee
  status: number
  /** The trail's records of that request. */
  trail: string[]
  lost: number
  notStored: number
}

const rows: Row[] = [
  {
    poison: '"OperationReceived"',
    guarantee: 'enforced',
    status: 503,
    trail: ['Complete 503'],
    lost: 0,
    notStored: 1,
  },
  {
    poison: '"OperationComplete"',
    guarantee: 'enforced',
    status: 500,
    trail: ['Received', 'correction 500'],
    lost: 1,
    notStored: 1,
  },
  { poison: '"payload"', guarantee: 'enforced', status: 503, trail: [], lost: 1, notStored: 2 },
  {
    poison: '"OperationReceived"',
    guarantee: 'best-effort',
    status: 200,
    trail: ['Complete 200'],
    lost: 1,
    notStored: 1,
  },
  { poison: '"payload"', guarantee: 'best-effort', status: 200, trail: [], lost: 2, notStored: 2 },
]

/** The ways in which an entry is refused for good: by the sink, or because the sink's format fails for it. */
const ways = ['the sink', 'the format'] as const

describe.each(ways)('an entry that %s refuses for good', (way) => {
  it.each(rows)('fails alone among 100 ($guarantee, $poison: $status)', async (row) => {
    const { poison, guarantee, status, trail, lost, notStored } = row
    const isPoison = (line: string): boolean => line.includes(poison) && line.includes(`"/${ODD}"`)
    const memory = memorySink()
    const sink = faultySink(memory)
    if (way === 'the sink') sink.poison(({ line }) => isPoison(line))
    const format: FormatFunction = (event) => {
      const line = JSON.stringify(event)
      if (way === 'the format' && isPoison(line)) throw new Error('no line for this one')
      return line
    }
    const app = Fastify()
    onTestFinished(() => app.close())
    await app.register(audit, { sinks: [{ name: 'test', sink, deliveryGuarantee: guarantee, format }] })
    app.get('/:number', async (request) => request.url)
    await app.ready()
    await app.audit.flush()
    const before = app.audit.stats().sinks.test?.batches ?? 0

    const answers = await Promise.all(Array.from({ length: REQUESTS }, (_, index) => app.inject(`/${index}`)))
    await app.audit.flush()
    const said = trailsIn(memory)
    for (const [index, answer] of answers.entries()) {
      expect(answer.statusCode).toBe(index === ODD ? status : 200)
      expect(said.get(`/${index}`) ?? []).toEqual(index === ODD ? trail : ['Received', 'Complete 200'])
    }

    const { sinks, healthy } = app.audit.stats()
    expect(healthy).toBe(true)
    expect(sinks.test).toMatchObject({ lost, notStored, inDoubt: 0, queued: 0 })
    // Nothing is tried again, and nobody waits for a turn of their own.
    expect((sinks.test?.batches ?? 0) - before).toBeLessThan(REQUESTS / 2)
  })
})

/** The trail's records of each request, by its endpoint. */
function trailsIn({ entries }: MemorySink): Map<string, string[]> {
  const endpoints = new Map<string, string>()
  const said = new Map<string, string[]>()
  const say = (id: string, words: string): void => {
    const endpoint = endpoints.get(id) ?? id
    said.set(endpoint, [...(said.get(endpoint) ?? []), words])
  }
  for (const { line } of entries) {
    const { payload } = validateLine(line)
    if (payload.type === 'audit') endpoints.set(payload.id, payload.request.endpoint)
    if (payload.type === 'correction') say(payload.id, `correction ${payload.correction.status_code}`)
    else if (payload.type !== 'audit') say(payload.id, payload.type)
    else if (payload.stage === 'OperationReceived') say(payload.id, 'Received')
    else say(payload.id, `Complete ${payload.response?.status_code}`)
  }
  return said
}
