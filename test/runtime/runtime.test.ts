import Fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import audit, {
  type AuditOptions,
  type AuditSink,
  type FilterOptions,
  type MemorySink,
  memorySink,
} from '../../src/index.js'
import { validateLine } from '../support/schema.js'

async function started(options: AuditOptions) {
  const app = Fastify()
  onTestFinished(() => app.close())
  await app.register(audit, options)
  app.get('/', async () => 'hello')
  app.get('/health', { config: { audit: false } }, async () => 'well')
  await app.ready()
  await app.audit.flush()
  return app
}

function startOf(sink: MemorySink) {
  const { payload } = validateLine(sink.lines[0] ?? '')
  if (payload.type !== 'start') throw new Error('the first entry is not the start')
  return payload.start
}

describe('the start entry', () => {
  it('comes first, and says who runs with which options', async () => {
    const sink = memorySink()
    const filters = [
      { name: 'reads', endpoints: ['/v1/*'], stages: ['OperationReceived' as const], operations: ['GET'] },
    ]
    const app = await started({ filters, sinks: [{ name: 'a', sink }] })
    const { instance } = JSON.parse(sink.lines[0] ?? '')
    expect(startOf(sink)).toMatchObject({
      instance,
      pid: process.pid,
      node: process.version,
      filters: [{ name: 'reads' }],
    })
    expect(startOf(sink).exempted_routes).toContain('GET /health')
    await app.close()
    expect(validateLine(sink.lines.at(-1) ?? '').payload).toMatchObject({
      type: 'stop',
      stop: { lost: 0, in_doubt: 0 },
    })
  })

  it('has a digest that is the same for the same options, and for no others', async () => {
    const digest = async (more: AuditOptions): Promise<string> => {
      const sink = memorySink()
      await started({ sinks: [{ name: 'a', sink }], ...more })
      return startOf(sink).options_digest
    }
    const first = await digest({})
    expect(await digest({})).toBe(first)
    expect(await digest({ closeTimeout: '3s' })).not.toBe(first)
    expect(await digest({ identity: () => undefined })).not.toBe(first)
  })

  it('asks nothing of a sink that is an instance: it may hold anything, itself included', async () => {
    const sink = memorySink()
    const holder: AuditSink & { self?: unknown; big: bigint; toJSON: () => never } = {
      write: (batch) => sink.write(batch),
      big: 1n,
      toJSON: () => {
        throw new Error('called')
      },
    }
    holder.self = holder
    await started({ sinks: [{ name: 'a', sink: holder }] })
    expect(startOf(sink).options_digest).toMatch(/^[0-9a-f]{64}$/)
  })
})

describe('many sinks', () => {
  it('are refused when they are more than can be kept apart', async () => {
    const sinks = Array.from({ length: 16 }, (_, index) => ({ name: `s${index}`, sink: memorySink() }))
    await expect(started({ sinks })).rejects.toThrow(/sinks\[15\]: .* is one too many; use at most 15 sinks/)
  })

  it('each have their own filters', async () => {
    const all: FilterOptions = { name: 'all', endpoints: ['*'], stages: ['*'], operations: ['*'] }
    const sinks = Array.from({ length: 15 }, () => memorySink())
    const excluding = new Set([0, 3, 14])
    const app = await started({
      sinks: sinks.map((sink, index) => ({ name: `s${index}`, sink, filters: excluding.has(index) ? [all] : [] })),
    })
    await app.inject('/')
    expect(sinks.map((sink) => sink.events.length)).toEqual(sinks.map((_, index) => (excluding.has(index) ? 0 : 2)))
  })
})
