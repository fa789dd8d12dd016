import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { buildApp } from '../../examples/prometheus.js'
import { memorySink } from '../../src/index.js'
import { root } from '../support/markdown.js'

/** The samples of a scrape, by name and labels. */
async function scrape(app: Awaited<ReturnType<typeof buildApp>>): Promise<Record<string, number>> {
  const { statusCode, headers, body } = await app.inject('/metrics')
  expect([statusCode, headers['content-type']]).toEqual([200, expect.stringContaining('text/plain')])
  const samples = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(
    samples.map((sample) => {
      const at = sample.lastIndexOf(' ')
      return [sample.slice(0, at), Number(sample.slice(at + 1))]
    }),
  )
}

it('examples/prometheus.ts exports every counter, with its present value at each scrape', async () => {
  const [first, second] = [memorySink(), memorySink()]
  const app = await buildApp([
    { name: 'first', sink: first },
    { name: 'second', sink: second, deliveryGuarantee: 'best-effort' },
  ])
  onTestFinished(() => app.close())
  await app.inject('/jobs')
  first.fail()
  await app.inject('/jobs')
  await app.audit.record({ action: 'key.rotate' }).catch(() => undefined)
  for (const _ of [1, 2]) {
    await app.audit.flush()
    const samples = await scrape(app)
    const { sinks, unseen, ...counts } = app.audit.stats()
    const snake = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    const found = (name: string, labels: string) => {
      const [sample] = ['', '_total'].flatMap((end) => {
        const value = samples[`fastify_audit_${snake(name)}${end}${labels}`]
        return value === undefined ? [] : [value]
      })
      return sample
    }
    for (const [key, value] of Object.entries(counts)) expect([key, found(key, '')]).toEqual([key, Number(value)])
    for (const [sink, counters] of Object.entries(sinks)) {
      for (const [key, value] of Object.entries(counters)) {
        expect([sink, key, found(`sink_${key}`, `{sink="${sink}"}`)]).toEqual([sink, key, Number(value)])
      }
    }
    const ofSinks = Object.values(sinks).flatMap((counters) => Object.keys(counters))
    expect(Object.keys(samples)).toHaveLength(Object.keys(counts).length + ofSinks.length + Object.keys(unseen).length)
    expect([samples.fastify_audit_refused_total, samples.fastify_audit_healthy]).toEqual([1, 0])
  }
})

it('examples/opentelemetry.ts finds the spans of its request in the record', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', join(root, 'examples/opentelemetry.ts')],
    { cwd: root },
  )
  expect(stdout).toContain('called by the span 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01')
  expect(stdout).toMatch(/served by the span 00-4bf92f3577b34da6a3ce929d0e0e4736-(?!00f067aa0ba902b7)/)
})
