import Fastify from 'fastify'
import { expect, it, onTestFinished } from 'vitest'
import audit, { type AuditSink, memorySink, type SinkContext } from '../../src/index.js'
import { validateLine } from '../support/schema.js'

it('reports entries in doubt after they were stored, in its counters and in the trail', async () => {
  const memory = memorySink()
  let context: SinkContext | undefined
  const sink: AuditSink = {
    async open(given) {
      context = given
    },
    write: (batch) => memory.write(batch),
  }
  const app = Fastify()
  onTestFinished(() => app.close())
  await app.register(audit, { sinks: [{ name: 'audit', sink }] })
  for (let request = 0; request < 3; request++) await app.inject('/')
  expect(app.audit.stats().sinks.audit).toMatchObject({ offered: 7, stored: 7, inDoubt: 0 })

  context?.doubt(4)
  expect(app.audit.stats().sinks.audit).toMatchObject({ offered: 7, stored: 3, notStored: 0, inDoubt: 4, lost: 0 })
  await app.inject('/')
  const told = memory.lines.map(validateLine).find(({ payload }) => payload.type === 'gap')
  expect(told).toMatchObject({ seq: 8, payload: { gap: { lost: 0, in_doubt: 4, from: 4, to: 7 } } })
})
