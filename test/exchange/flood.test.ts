import Fastify from 'fastify'
import { expect, it, onTestFinished } from 'vitest'
import audit, { memorySink } from '../../src/index.js'
import { faultySink } from '../../src/testing.js'
import { flood } from '../support/process/flood.js'
import { listen } from './runner.js'

it('a flood is refused before its handlers run, and none of their replies is withheld', async () => {
  const sink = faultySink(memorySink())
  // Send requests while others are being stored.
  sink.slow(5)
  const app = Fastify()
  onTestFinished(() => app.close())
  await app.register(audit, { sinks: [{ name: 'test', sink, maxQueue: 100 }] })
  let handled = 0
  app.get('/tasks/:number', async ({ audit: { id } }) => {
    handled++
    return { auditId: id }
  })
  const statuses: number[] = []
  const onAnswer = ({ status }: { status: number }): void => void statuses.push(status)
  await flood(await listen(app), { connections: 40, pipeline: 20, limit: 5000, onAnswer })
  const { refused, withheld } = app.audit.stats()
  expect(statuses).toHaveLength(5000)
  expect(refused).toBeGreaterThan(0)
  expect({ withheld, refused }).toEqual({ withheld: 0, refused: 5000 - handled })
  expect(statuses.filter((status) => status === 200)).toHaveLength(handled)
})
