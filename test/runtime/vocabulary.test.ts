import { expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { createAudit, defineActions, memorySink } from '../../src/standalone.js'

it('an audit without a server counts and logs once what its vocabulary does not have', async () => {
  const sink = memorySink()
  const logged: object[] = []
  const line = (details: object): void => void logged.push(details)
  const actions = defineActions({ 'queue.take': { targets: ['job'], annotations: z.object({ try: z.int() }) } })
  const audit = await createAudit({
    actions,
    sinks: [{ name: 'memory', sink }],
    log: { info: line, warn: line, error: line },
  })
  onTestFinished(() => audit.close())

  await audit.record({ action: 'queue.take', targets: { type: 'job', id: 1 }, annotations: { try: 1 } })
  expect(audit.stats().vocabularyErrors).toBe(0)
  for (let time = 0; time < 2; time++) await audit.run({ action: 'queue.tak' }, () => time)
  await audit.run({ action: 'queue.take', targets: { type: 'job', id: 1 } }, () => 1)
  expect(audit.stats().vocabularyErrors).toBe(3)
  expect(logged).toEqual([{ action: 'queue.tak' }, expect.objectContaining({ action: 'queue.take' })])
  expect(sink.actions).toHaveLength(7)
})
