import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import Fastify from 'fastify'
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import audit, { type AuditStats, memorySink } from '../../src/index.js'

vi.mock('../../src/clock.js', () => import('../support/current-clock.js'))

const CHANNEL = 'fastify-audit-log:stats'

interface Message {
  instance: string
  stats: AuditStats
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.useRealTimers()
})

it('is given the counters of a server each second, and once more when it has closed', async () => {
  const messages: Message[] = []
  const listen = (message: unknown) => void messages.push(JSON.parse(JSON.stringify(message)))
  subscribe(CHANNEL, listen)
  onTestFinished(() => void unsubscribe(CHANNEL, listen))
  const sink = memorySink()
  const app = Fastify()
  await app.register(audit, { sinks: [{ name: 'memory', sink }] })
  app.get('/', async () => 'hello')
  await app.ready()
  expect(messages).toEqual([])
  vi.advanceTimersByTime(1000)
  await app.inject('/')
  vi.advanceTimersByTime(1000)
  await app.close()
  vi.advanceTimersByTime(10_000)
  expect(messages.map(({ stats }) => stats.audited)).toEqual([0, 1, 1])
  const [, , last] = messages
  expect(last?.instance).toBe(sink.entries[0]?.event.instance)
  expect(last?.stats).toMatchObject({ healthy: true, sinks: { memory: { lost: 0, stored: sink.entries.length } } })
})
