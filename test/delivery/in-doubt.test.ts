import Fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import audit, { type AuditEntry, type AuditSink, BatchError, memorySink } from '../../src/index.js'
import { validateLine } from '../support/schema.js'

/** Stores everything, but leaves the entries that hold `text` in doubt. */
function doubtfulSink(text: string): AuditSink & { stored: AuditEntry[] } {
  const stored: AuditEntry[] = []
  return {
    stored,
    async write(batch) {
      stored.push(...batch)
      const inDoubt = batch.filter(({ line }) => line.includes(text) && line.includes('"type":"audit"'))
      if (inDoubt.length > 0) throw new BatchError({ inDoubt })
    },
  }
}

function trailOf(entries: readonly AuditEntry[]): string[] {
  return entries.flatMap(({ line }) => {
    const { payload } = validateLine(line)
    if (payload.type === 'correction') return [`correction ${payload.correction.status_code}`]
    return payload.type === 'audit' ? [`${payload.stage} ${payload.response?.status_code ?? ''}`.trim()] : []
  })
}

describe('an entry that a sink leaves in doubt for good', () => {
  for (const { stage, status, trail } of [
    { stage: 'OperationReceived', status: 503, trail: ['OperationReceived', 'OperationComplete 503'] },
    {
      stage: 'OperationComplete',
      status: 500,
      trail: ['OperationReceived', 'OperationComplete 200', 'correction 500'],
    },
  ]) {
    it(`is followed by what was answered in its place, in every sink (${stage})`, async () => {
      const sink = doubtfulSink(stage)
      const other = memorySink()
      const app = Fastify()
      onTestFinished(() => app.close())
      await app.register(audit, {
        sinks: [
          { name: 'doubtful', sink },
          { name: 'other', sink: other },
        ],
      })
      app.get('/', async () => 'hello')
      expect((await app.inject('/')).statusCode).toBe(status)
      await app.audit.flush()
      expect(trailOf(sink.stored)).toEqual(trail)
      expect(trailOf(other.entries)).toEqual(trail)
    })
  }
})
