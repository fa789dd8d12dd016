import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import Fastify from 'fastify'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { LevelOption } from '../../../src/event/level.js'
import audit, { memorySink } from '../../../src/index.js'

const { mintId } = vi.hoisted(() => ({ mintId: vi.fn<() => string>() }))

vi.mock('node:crypto', async (importOriginal) => ({
  ...(await importOriginal<typeof import('node:crypto')>()),
  randomUUID: mintId,
}))
vi.mock('../../../src/event/event-id.js', () => ({ newEventId: mintId }))

interface Sample {
  auditID: string
  stageTimestamp: string
  requestURI?: string
  verb?: string
  user?: { name: string; group: string[] }
  requestBody?: object
  responseBody?: object
}

function sampleOf(name: string): Sample {
  return JSON.parse(readFileSync(new URL(`../../golden/rancher-${name}.json`, import.meta.url), 'utf8'))
}

/** A sample as one line, as Rancher writes it, with its time in UTC: that and nothing else differs. */
function lineOf(sample: Sample): string {
  return JSON.stringify({ ...sample, stageTimestamp: `${isoOf(sample).slice(0, 19).replace('T', ' ')} +0000` })
}

function isoOf({ stageTimestamp }: Sample): string {
  const [, day = '', time = '', zone = ''] = /^(\S+) (\S+) (\S+)$/.exec(stageTimestamp) ?? []
  return new Date(`${day}T${time}${zone}`).toISOString()
}

/** The lines of one request like the sample's, asked of a server at that level over a real socket. */
async function linesFor(asked: Sample, level: LevelOption, answer: object = {}): Promise<string[]> {
  vi.setSystemTime(new Date(isoOf(asked)))
  mintId.mockReset().mockReturnValue('00000000-0000-4000-8000-000000000000')
  // The instance and the start entry have theirs already when the request comes.
  const sink = memorySink()
  const app = Fastify()
  onTestFinished(() => app.close())
  await app.register(audit, {
    level,
    sinks: [{ name: 'golden', format: 'rancher', sink }],
    identity: () => ({ accessorId: 'u-1', name: asked.user?.name, groups: asked.user?.group }),
  })
  app.all('/*', async () => answer)
  await app.listen({ host: '::1', port: 0 })
  mintId.mockReturnValue(asked.auditID)
  const address = app.server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port')
  await ask(address.port, asked)
  return sink.lines.filter((line) => line.includes(asked.auditID))
}

function ask(port: number, { verb, requestURI, requestBody }: Sample): Promise<void> {
  const headers = requestBody === undefined ? {} : { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '::1', port, method: verb, path: requestURI, headers }, (response) => {
      response.resume().on('end', resolve)
    })
    request.on('error', reject)
    request.end(requestBody === undefined ? undefined : JSON.stringify(requestBody))
  })
}

/** A `ResponseComplete` of which nothing but the status is known. */
function completeOf(sample: Sample, body?: object): string {
  return lineOf({
    auditID: sample.auditID,
    ...{ responseStatus: '200', stage: 'ResponseComplete' },
    stageTimestamp: sample.stageTimestamp,
    ...(body !== undefined && { responseBody: body }),
  })
}

describe("the records that Rancher documents, compared as text, so that their keys' order counts", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('come of the same request, identity and clock at level 1, with the status beside it', async () => {
    const sample = sampleOf('level1')
    expect(await linesFor(sample, 1)).toEqual([lineOf(sample), completeOf(sample)])
  })

  it('come at level 2 with the body that was asked', async () => {
    const sample = sampleOf('level2-request')
    expect(await linesFor(sample, 2)).toEqual([lineOf(sample), completeOf(sample)])
  })

  it('come at level 3 with the bodies both ways', async () => {
    const sample = sampleOf('level3-request')
    const response = sampleOf('level3-response')
    expect(response.auditID).toBe(sample.auditID)
    expect(await linesFor(sample, 3, response.responseBody)).toEqual([lineOf(sample), lineOf(response)])
  })

  it('hold no body below the level that asks for it', async () => {
    const sample = sampleOf('level3-request')
    const { requestBody: _, ...metadata } = sample
    expect(await linesFor(sample, 1, sampleOf('level3-response').responseBody)).toEqual([
      lineOf(metadata),
      completeOf(sample),
    ])
  })

  it('do not come at level 0', async () => {
    expect(await linesFor(sampleOf('level1'), 0)).toEqual([])
  })
})
