/** A sink of your own: posts each batch to a collector, which here rejects a line, goes away, and comes back. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import audit, {
  type AuditEntry,
  type AuditSink,
  AuditSinkUnavailable,
  BatchError,
  type SinkContext,
} from 'fastify-audit-log'

class CollectorSink implements AuditSink {
  constructor(
    private readonly url: string,
    private readonly timeout = 5_000,
  ) {}

  async open({ name, log }: SinkContext): Promise<void> {
    try {
      await this.idle()
    } catch (cause) {
      // The collector may come back. Any other error would stop the boot.
      throw new AuditSinkUnavailable(`the collector at ${this.url} does not answer`, { cause })
    }
    log.info({ sink: name, url: this.url }, 'the audit collector answers')
  }

  async write(batch: readonly AuditEntry[]): Promise<void> {
    const rejected = await this.post(batch)
    const failed = batch.filter((_, index) => rejected.includes(index))
    if (failed.length > 0) throw new BatchError({ failed })
  }

  /** Checks after a failure whether the collector works again. */
  async idle(): Promise<void> {
    const response = await fetch(`${this.url}/health`, { signal: AbortSignal.timeout(this.timeout) })
    if (!response.ok) throw new Error(`${this.url}/health answered ${response.status}`)
  }

  /** Posts the lines. The collector answers with the indexes of those that it rejects, and stores the others. */
  private async post(batch: readonly AuditEntry[]): Promise<unknown[]> {
    try {
      const body = batch.map(({ line }) => `${line}\n`).join('')
      const response = await fetch(this.url, { method: 'POST', body, signal: AbortSignal.timeout(this.timeout) })
      const rejected: unknown = await response.json()
      if (!response.ok || !Array.isArray(rejected)) throw new Error(`${this.url} answered ${response.status}`)
      return rejected
    } catch (cause) {
      // The lines may have arrived although no good answer came, so that all are in doubt.
      throw new BatchError({ inDoubt: batch, cause })
    }
  }
}

/** A collector that stores every line but those about `/jobs/odd`. */
const stored: string[] = []
let isAway = false
const collector = createServer(async (request, response) => {
  if (isAway) {
    response.writeHead(503).end('{}')
    return
  }
  if (request.url === '/health') {
    response.end()
    return
  }
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += chunk
  const lines = body.trimEnd().split('\n')
  const rejected = [...lines.keys()].filter((index) => lines[index]?.includes('/jobs/odd'))
  stored.push(...lines.filter((_, index) => !rejected.includes(index)))
  response.end(JSON.stringify(rejected))
})
await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
const address = collector.address()
assert.ok(address !== null && typeof address === 'object')

const app = Fastify()
await app.register(audit, {
  sinks: [{ name: 'collector', sink: new CollectorSink(`http://127.0.0.1:${address.port}`), timeout: '10s' }],
})
app.get('/jobs', async () => [])
app.get('/jobs/odd', async () => [])
const statusOf = async (url: string): Promise<number> => (await app.inject(url)).statusCode

const served = await statusOf('/jobs')
const rejected = await statusOf('/jobs/odd')
isAway = true
const refused = await statusOf('/jobs')
isAway = false
while (!app.audit.healthy) await sleep(50)
const servedAgain = await statusOf('/jobs')
const { inDoubt } = app.audit.stats().sinks.collector ?? {}
await app.close()
collector.close()

console.log(`served ${served}, rejected ${rejected}, collector away ${refused}, back ${servedAgain}`)
console.log(stored.map((line) => JSON.parse(line).payload.type).join(' '))
assert.deepEqual([served, rejected, refused, servedAgain], [200, 503, 503, 200])
assert.ok(inDoubt !== undefined && inDoubt > 0, 'nobody knows what became of the lines that had no answer')
