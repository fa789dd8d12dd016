/** The audit log of Rancher's API: set up by the same environment variables, in the same records. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import audit, { optionsFromRancherEnv } from 'fastify-audit-log'

const folder = mkdtempSync(join(tmpdir(), 'rancher-compatible-'))

// Your server passes `process.env`.
const options = optionsFromRancherEnv({ AUDIT_LEVEL: '3', AUDIT_LOG_PATH: `${folder}/`, AUDIT_LOG_MAXSIZE: '100M' })

const app = Fastify()
await app.register(audit, {
  ...options,
  // The record of the request names the caller, who must be known by then.
  identity: ({ headers }) =>
    headers['x-user'] === 'ada'
      ? { accessorId: 'user-f4tt2', name: 'ada', groups: ['system:authenticated'] }
      : undefined,
})
app.put('/v3/workloads/:id', async () => ({ state: 'active' }))

const url = '/v3/workloads/nginx'
await app.inject({ method: 'PUT', url, headers: { 'x-user': 'ada' }, payload: { scale: 2, password: 'hunter2' } })
await app.inject({ method: 'PUT', url, payload: { scale: 0 } })
await app.close()

const lines = readFileSync(join(folder, 'rancher-api-audit.log'), 'utf8').trimEnd().split('\n')
console.log(lines.join('\n'))

const records = lines.map((line) => JSON.parse(line))
assert.deepEqual(
  records.map(({ stage }) => stage),
  ['start', 'RequestReceived', 'ResponseComplete', 'RequestReceived', 'ResponseComplete', 'stop'],
)
const [, asked, answered, byNobody] = records
assert.deepEqual(asked.user, { name: 'ada', group: ['system:authenticated'] })
assert.deepEqual(asked.requestBody, { scale: 2, password: '[REDACTED]' })
assert.equal(answered.auditID, asked.auditID)
assert.equal(answered.responseStatus, '200')
assert.deepEqual(answered.responseBody, { state: 'active' })
assert.equal(byNobody.user.name, 'system:unauthenticated')

rmSync(folder, { recursive: true })
