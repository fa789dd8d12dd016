/** Exports all counters of the audit to Prometheus, by prom-client, at `/metrics`. */
import { fileURLToPath } from 'node:url'
import Fastify, { type FastifyInstance } from 'fastify'
import audit, { type AppAudit, type SinkOptions } from 'fastify-audit-log'
import { Counter, Gauge, Registry } from 'prom-client'

/** The values that may fall; all others only grow. `stored` and `inDoubt` fall when a sink's file was cut or answers late. */
const GAUGES = new Set(['healthy', 'open', 'running', 'queued', 'queuedBytes', 'stored', 'inDoubt'])

/** Reads the present values, each with its labels. */
type Read = () => Array<[value: number, labels: Record<string, string>]>

/** Registers a metric that reads its values when it is scraped. */
function addMetric(registry: Registry, name: string, label: string | undefined, read: Read): void {
  const key = name.slice(name.lastIndexOf('.') + 1)
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace('.', '_')
  const isGauge = GAUGES.has(key)
  const settings = {
    name: `fastify_audit_${snake}${isGauge ? '' : '_total'}`,
    help: `${key} of app.audit.stats(), which docs/guarantees.md explains`,
    labelNames: label === undefined ? [] : [label],
    registers: [registry],
  }
  if (isGauge) {
    new Gauge({
      ...settings,
      collect() {
        for (const [value, labels] of read()) this.set(labels, value)
      },
    })
    return
  }
  new Counter({
    ...settings,
    collect() {
      // The plugin counts; a counter of prom-client can only be added to.
      this.reset()
      for (const [value, labels] of read()) this.inc(labels, value)
    },
  })
}

/** Makes a registry of all counters, also of those that a later version adds. */
export function auditMetrics({ stats }: Pick<AppAudit, 'stats'>): Registry {
  const registry = new Registry()
  const { sinks, unseen: _, ...counts } = stats()
  for (const key of Object.keys(counts) as Array<keyof typeof counts>) {
    addMetric(registry, key, undefined, () => [[Number(stats()[key]), {}]])
  }
  addMetric(registry, 'unseen', 'kind', () => Object.entries(stats().unseen).map(([kind, value]) => [value, { kind }]))
  const [first] = Object.values(sinks)
  for (const key of Object.keys(first ?? {}) as Array<keyof NonNullable<typeof first>>) {
    addMetric(registry, `sink.${key}`, 'sink', () =>
      Object.entries(stats().sinks).map(([sink, counters]) => [Number(counters[key]), { sink }]),
    )
  }
  return registry
}

export async function buildApp(sinks: SinkOptions[]): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(audit, { sinks })
  const registry = auditMetrics(app.audit)
  // Scraped when the audit stores nothing, too: then it matters most.
  app.get('/metrics', { config: { audit: false } }, async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  )
  app.get('/jobs', async () => [])
  return app
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const app = await buildApp([{ name: 'audit', type: 'stdout', deliveryGuarantee: 'best-effort' }])
  await app.inject('/jobs')
  console.log((await app.inject('/metrics')).body)
  await app.close()
}
