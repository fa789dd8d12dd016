import { readFileSync } from 'node:fs'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import audit, { type IdentityFunction, memorySink } from '../../../src/index.js'
import { portOf } from '../../support/app.js'
import { validateLine } from '../../support/schema.js'
import { ask } from '../../support/wire.js'

const { mintId } = vi.hoisted(() => ({ mintId: vi.fn<() => string>() }))

vi.mock('node:crypto', async (importOriginal) => ({
  ...(await importOriginal<typeof import('node:crypto')>()),
  randomUUID: mintId,
}))
vi.mock('../../../src/event/event-id.js', () => ({ newEventId: mintId }))

/** Any object of a sample. */
interface Sample {
  [key: string]: string | number | boolean | string[] | Sample
}

function sampleOf(name: string): Sample {
  return JSON.parse(readFileSync(new URL(`../../golden/nomad-${name}.json`, import.meta.url), 'utf8'))
}

/** A sample in the trail's own terms: its times in UTC with milliseconds, and what is added to Nomad's entries. */
function expected(name: string, seq: number, port: number, clientPort: string): Sample {
  const sample = sampleOf(name)
  const payload = objectAt(sample, 'payload')
  const request = objectAt(payload, 'request')
  const meta = objectAt(request, 'request_meta')
  const node = objectAt(request, 'node_meta')
  const { response } = payload
  return {
    created_at: inUtc(sample.created_at),
    event_type: 'audit',
    instance: '00000000-0000-4000-8000-000000000000',
    seq,
    payload: {
      ...payload,
      timestamp: inUtc(payload.timestamp),
      request: {
        id: at(request, 'id'),
        operation: at(request, 'operation'),
        endpoint: at(request, 'endpoint'),
        route: name.includes('denied') ? '/v1/jobs' : '/v1/job/:id/summary',
        namespace: at(request, 'namespace'),
        request_meta: {
          remote_address: String(meta.remote_address).replace(/\d+$/, clientPort),
          host: 'audit.test',
          user_agent: at(meta, 'user_agent'),
        },
        node_meta: { ip: String(node.ip).replace(/\d+$/, String(port)) },
      },
      ...(response !== undefined && { response: { ...objectAt(payload, 'response'), duration_ms: 0 } }),
    },
  }
}

function at(object: Sample, key: string): Sample[string] {
  const value = object[key]
  if (value === undefined) throw new Error(`the sample has no ${key}`)
  return value
}

function objectAt(object: Sample, key: string): Sample {
  const value = at(object, key)
  if (typeof value !== 'object' || Array.isArray(value)) throw new Error(`${key} of the sample is no object`)
  return value
}

function inUtc(time: unknown): string {
  return new Date(String(time)).toISOString()
}

/** The keys of an object at every level, in their order. */
function keysOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.entries(value).map(([key, inner]) => [key, keysOf(inner)])
}

interface Served {
  app: FastifyInstance
  port: number
  lines: () => string[]
}

async function serve(payloadId: string, requestId: string, identity?: IdentityFunction): Promise<Served> {
  mintId.mockReturnValueOnce('00000000-0000-4000-8000-000000000000').mockReturnValueOnce(OTHER_ID)
  mintId.mockReturnValueOnce(payloadId).mockReturnValue(OTHER_ID)
  const sink = memorySink()
  const app = Fastify({ genReqId: () => requestId })
  onTestFinished(() => app.close())
  await app.register(audit, { sinks: [{ name: 'golden', sink }], ...(identity && { identity }) })
  app.get('/v1/job/:id/summary', async () => {
    setTime('complete')
    return {}
  })
  app.get('/v1/jobs', async (_, reply) => {
    setTime('complete-denied')
    return reply.code(403).send({ message: 'Permission denied' })
  })
  const port = await portOf(app)
  return { app, port, lines: () => sink.lines.filter((line) => line.includes('"type":"audit"')) }
}

const OTHER_ID = '11111111-1111-4111-8111-111111111111'

/** The clock shows when the sample was made. */
function setTime(name: string, of: 'created_at' | 'timestamp' = 'created_at'): void {
  const sample = sampleOf(name)
  vi.setSystemTime(new Date(String(of === 'created_at' ? sample.created_at : objectAt(sample, 'payload').timestamp)))
}

/** Compared as text, so that order counts; the client's port is the kernel's, and so is how long it took. */
function expectGolden(line: string | undefined, name: string, seq: number, port: number): void {
  if (line === undefined) throw new Error('no such line')
  validateLine(line)
  const clientPort = /"remote_address":"127\.0\.0\.1:(\d+)"/.exec(line)?.[1]
  if (clientPort === undefined) throw new Error(`no address of a client in ${line}`)
  const sample = expected(name, seq, port, clientPort)
  const actual: unknown = JSON.parse(line.replace(/"duration_ms":[\d.]+/, '"duration_ms":0'))
  expect(actual).toEqual(sample)
  expect(keysOf(actual)).toEqual(keysOf(sample))
}

describe('the entries that Nomad documents', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('come of the same request, identity and clock: received, and complete', async () => {
    const payload = objectAt(sampleOf('received'), 'payload')
    const auth = objectAt(payload, 'auth')
    setTime('received', 'timestamp')
    const { port, lines } = await serve(String(payload.id), String(objectAt(payload, 'request').id), () => ({
      accessorId: String(auth.accessor_id),
      name: String(auth.name),
      global: auth.global === true,
      createTime: String(auth.create_time),
    }))
    await ask(port, { url: '/v1/job/web/summary', headers: { 'user-agent': 'Go-http-client/1.1' } })
    expect(lines()).toHaveLength(2)
    expectGolden(lines()[0], 'received', 2, port)
    expectGolden(lines()[1], 'complete', 3, port)
  })

  it('come of a request that is denied, by nobody in particular', async () => {
    const payload = objectAt(sampleOf('complete-denied'), 'payload')
    setTime('complete-denied', 'timestamp')
    const { port, lines } = await serve(String(payload.id), String(objectAt(payload, 'request').id))
    await ask(port, { url: '/v1/jobs?prefix=web', headers: { 'user-agent': 'Go-http-client/1.1' } })
    expect(lines()).toHaveLength(2)
    expectGolden(lines()[1], 'complete-denied', 3, port)
  })
})
