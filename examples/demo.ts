/**
 * A server that records every request, and the records of a few of them. Then the audit file really fails: requests are
 * refused until it works again. Everything that is shown is also checked.
 */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify, { type FastifyRequest } from 'fastify'
import audit, { type AuditEvent, auditFrameworkErrors, type Identity, type LifecycleEvent } from 'fastify-audit-log'
import { paint, printable, showLife, showPair } from './support/show.js'

const users: Record<string, Identity> = {
  'Bearer alice-token': { accessorId: 'u-17', name: 'Alice', policies: ['operator'] },
  'Bearer bob-token': { accessorId: 'u-23', name: 'Bob', policies: ['reader'] },
}
const identity = ({ headers }: FastifyRequest): Identity | undefined => users[headers.authorization ?? '']

const dataDir = mkdtempSync(join(tmpdir(), 'fastify-audit-log-demo-'))
const file = join(dataDir, 'audit', 'audit.log')
const jobs = new Set(['web-1', 'web-2'])

const app = Fastify({ frameworkErrors: auditFrameworkErrors() })
await app.register(audit, {
  dataDir,
  identity,
  filters: [{ name: 'probes', endpoints: ['/health'], stages: ['*'], operations: ['GET'] }],
})

app.get('/health', async () => ({ healthy: app.audit.healthy }))
app.get('/v1/jobs', async () => [...jobs])
app.post<{ Body: { name: string } }>('/v1/jobs', async (request, reply) => {
  jobs.add(request.body.name)
  request.audit.annotate({ job: request.body.name })
  return reply.code(201).send({ name: request.body.name })
})
app.delete<{ Params: { name: string } }>('/v1/jobs/:name', async (request, reply) => {
  if (!identity(request)?.policies?.includes('operator')) return reply.code(403).send({ message: 'Permission denied' })
  jobs.delete(request.params.name)
  return reply.code(204).send()
})
app.get('/v1/report', async () => {
  throw new Error('the report cannot be read: \u001b[2J\u001b[H')
})

const address = await app.listen({ port: 0, host: '127.0.0.1' })

section(`A server at ${address}, audited to ${file}`)
await send('a read', 'GET', '/v1/jobs?prefix=web&token=s3cr3t', 'alice', 200)
await send('a write', 'POST', '/v1/jobs', 'alice', 201, { name: 'db' })
await send('no such route', 'GET', '/v1/nothing', undefined, 404)
await send('not allowed', 'DELETE', '/v1/jobs/web-1', 'bob', 403)
await send('a handler that throws', 'GET', '/v1/report', 'bob', 500)
await send('excluded by a filter', 'GET', '/health', undefined, 200)

section('The trail: two records for each request, one before it was processed and one after')
const shown = showTrail()
assert.equal(shown.length, 5, 'five requests are in the trail, and the one that a filter excludes is not')
assert.deepEqual(
  shown.map((pair) => pair.map(({ payload }) => payload.response?.status_code)),
  [200, 201, 404, 403, 500].map((status) => [undefined, status]),
)
assert.equal(readFileSync(file, 'utf8').includes('s3cr3t'), false, 'a token in a query is redacted')
note('Not in it: GET /health, which the filter excludes. The token in the query, and the escape codes in the error')
note('message, can do no harm: the one is redacted, the others are escaped in the file and here.')

section('The audit file fails: it is moved away, and a directory is put in its place')
const aside = `${file}.aside`
renameSync(file, aside)
mkdirSync(file)
await until('the failure is noticed', () => !app.audit.healthy)
const refused = await send('a write', 'POST', '/v1/jobs', 'alice', 503, { name: 'cache' })
assert.equal(refused.headers.get('retry-after'), '1')
assert.equal(refused.body.code, 'FST_AUDIT_NOT_RECORDED')
assert.equal(jobs.has('cache'), false, 'the handler of a refused request does not run')
// Waits for the record of the 503, which nobody else waits for; it cannot be stored either.
await app.audit.flush()
console.log(printable(JSON.stringify(refused.body, null, 2)).replaceAll('\\u000a', '\n'))
note('The handler did not run. What is excluded is still served, so that a probe can say what is the matter:')
const probe = await send('excluded by a filter', 'GET', '/health', undefined, 200)
assert.equal(probe.body.healthy, false)

section('The file is moved back: the server recovers by itself')
rmdirSync(file)
renameSync(aside, file)
await until('the recovery is noticed', () => app.audit.healthy)
await send('the same write', 'POST', '/v1/jobs', 'alice', 201, { name: 'cache' })
assert.equal(jobs.has('cache'), true)
showTrail(shown.length)
assert.equal(app.audit.stats().refused, 1)
const gap = readTrail().find(({ payload }) => payload.type === 'gap')
assert.ok(gap, 'the trail says that something is missing')
note('Two numbers (seq) are missing: the record of the request that was refused, of which nothing came, and the')
note('record of its 503, which the gap names. Nothing else was lost.')

await app.close()

const last = readTrail().at(-1)
assert.equal(last?.payload.type, 'stop', 'a server that was closed has said so')

section(`${readTrail().length} lines; read them with:`)
console.log(`jq . ${file}`)

/** Sends one request over the network, and returns the reply. */
async function send(
  what: string,
  method: string,
  path: string,
  user: string | undefined,
  status: number,
  body?: object,
) {
  const response = await fetch(`${address}${path}`, {
    method,
    headers: {
      ...(user !== undefined && { authorization: `Bearer ${user}-token` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  console.log(
    `${`${method} ${path}`.padEnd(42)} ${paint(response.ok ? 'green' : 'red', String(response.status))}  ${what}`,
  )
  assert.equal(response.status, status, `${method} ${path}: ${text}`)
  const reply: Record<string, unknown> = JSON.parse(text)
  return { headers: response.headers, body: reply }
}

/** Shows the pairs after the first `known`, and the trail's own entries between them. Returns all those pairs. */
function showTrail(known = 0): AuditEvent[][] {
  const pairs = new Map<string, AuditEvent[]>()
  const lines: Array<() => string> = []
  for (const event of readTrail()) {
    if (!isOfRequest(event)) {
      if (pairs.size >= known) lines.push(() => showLife(event))
      continue
    }
    const pair = pairs.get(event.payload.id)
    if (pair !== undefined) pair.push(event)
    else {
      const started = [event]
      pairs.set(event.payload.id, started)
      const number = pairs.size
      if (number > known) lines.push(() => showPair(number, started))
    }
  }
  for (const line of lines) console.log(line())
  return [...pairs.values()]
}

function readTrail(): Array<AuditEvent | LifecycleEvent> {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

function isOfRequest(event: AuditEvent | LifecycleEvent): event is AuditEvent {
  return event.payload.type === 'audit'
}

async function until(what: string, isTrue: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (isTrue()) return
    await sleep(50)
  }
  assert.fail(`${what} within ten seconds`)
}

function section(title: string): void {
  console.log(`\n${paint('bold', `=== ${title}`)}\n`)
}

function note(text: string): void {
  console.log(paint('dim', `    ${text}`))
}
