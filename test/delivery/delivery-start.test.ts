import Fastify from 'fastify'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { AuditSinkUnavailable } from '../../src/errors.js'
import audit, { memorySink } from '../../src/index.js'
import { BatchError } from '../../src/sinks/batch-error.js'
import { faultySink } from '../../src/testing.js'
import { draft, gapOf, type LaneFixture, laneOf, settle, stopOf, useFakeTimers } from '../support/lane.js'
import { validateLine } from '../support/schema.js'

vi.mock('../../src/clock.js', () => import('../support/current-clock.js'))

const BEGINNING = ',"payload":{"type":"start"}}'

async function opened(more: Parameters<typeof laneOf>[0] = {}): Promise<LaneFixture> {
  useFakeTimers()
  const lane = laneOf(more)
  await lane.delivery.open(1000)
  return lane
}

function begin({ delivery }: LaneFixture): void {
  delivery.begin(draft(BEGINNING))
}

describe('the start entry of a sink', () => {
  for (const enforced of [true, false]) {
    it(`that fails when the server starts is offered again as soon as it works (enforced: ${enforced})`, async () => {
      const lane = await opened({ enforced })
      const { delivery, sink, ask } = lane
      sink.auto = 'fail'
      begin(lane)
      await settle(5000)
      ask('/refused')
      await settle()
      expect(sink.stored).toEqual([])
      sink.auto = 'store'
      await settle(1000)
      expect(sink.endpoints).toEqual(['gap', 'start'])
      expect(gapOf(sink.stored[0])).toMatchObject({ lost: 1, from: 1 })
      expect(sink.stored[1]?.event.seq).toBeGreaterThan(sink.stored[0]?.event.seq ?? 0)
      expect(delivery.stats()).toMatchObject({ lost: 1, queued: 0, healthy: true })
    })
  }

  it('follows the request that found the sink working again', async () => {
    const lane = await opened()
    const { sink, ask } = lane
    sink.auto = 'fail'
    begin(lane)
    await settle()
    sink.auto = 'store'
    ask('/first')
    await settle()
    expect(sink.endpoints).toEqual(['gap', '/first', 'start'])
  })

  it('that hangs while it opens is offered again when it has opened', async () => {
    useFakeTimers()
    const lane = laneOf()
    const { delivery, sink } = lane
    sink.auto = null
    const opening = delivery.open(1000)
    await settle(1000)
    await opening
    begin(lane)
    sink.auto = 'store'
    sink.answer()
    await settle(1000)
    expect(sink.endpoints).toEqual(['gap', 'start'])
  })

  it('that recovers only when the server closes is offered again before it stops', async () => {
    const lane = await opened()
    const { delivery, sink } = lane
    sink.auto = 'fail'
    begin(lane)
    await settle()
    sink.auto = 'store'
    const closing = delivery.close(500, stopOf(delivery))
    await settle()
    await closing
    expect(sink.endpoints).toEqual(['gap', 'start', 'stop'])
  })

  it('that fails again is offered again', async () => {
    const lane = await opened()
    const { sink } = lane
    sink.auto = 'fail'
    begin(lane)
    await settle()
    sink.auto = null
    await settle(1000)
    sink.answer()
    await settle()
    // The gap is stored; the start after it is not.
    sink.answer()
    await settle()
    expect(sink.lastBatch.map(({ event }) => event.payload.type)).toEqual(['start'])
    sink.answer(new Error('told to fail'))
    sink.auto = 'store'
    await settle(1000)
    expect(sink.endpoints).toEqual(['gap', 'gap', 'start'])
  })

  it('that has stored it, or may have, is not offered again after another failure', async () => {
    for (const answer of ['store', 'in doubt']) {
      const lane = await opened()
      const { sink, tell } = lane
      sink.auto = null
      begin(lane)
      await settle()
      sink.answer(answer === 'store' ? 'store' : new BatchError({ inDoubt: sink.lastBatch }))
      sink.auto = 'fail'
      tell('/lost')
      await settle(1000)
      sink.auto = 'store'
      await settle(2000)
      expect(sink.endpoints).toEqual(answer === 'store' ? ['start', 'gap'] : ['gap'])
    }
  })

  it('that refuses it for good is not offered it again: that would go on for ever', async () => {
    const lane = await opened()
    const { delivery, sink } = lane
    sink.auto = null
    begin(lane)
    await settle()
    sink.answer(new BatchError({ failed: sink.lastBatch }))
    sink.auto = 'store'
    await settle(5000)
    expect(sink.endpoints).toEqual(['gap'])
    expect(delivery.stats()).toMatchObject({ lost: 1, healthy: true })
  })
})

it('identifies the server with a complete start entry if the sink could not store it at the boot', async () => {
  const memory = memorySink()
  const sink = faultySink(memory)
  const app = Fastify()
  onTestFinished(() => app.close())
  await app.register(audit, { sinks: [{ name: 'test', sink }] })
  app.get('/', async () => 'hello')
  sink.fail(new AuditSinkUnavailable('no room'))
  await app.ready()
  expect((await app.inject('/')).statusCode).toBe(503)
  sink.recover()
  expect((await app.inject('/')).statusCode).toBe(200)
  await app.audit.flush()
  const starts = memory.lines.map(validateLine).filter(({ payload }) => payload.type === 'start')
  expect(starts).toMatchObject([{ payload: { start: { pid: process.pid } } }])
})
