/** The `audit` stanza of a Nomad agent, as JSON, and the error for one that has no exact counterpart here. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import audit, { optionsFromNomadStanza } from 'fastify-audit-log'

const dataDir = mkdtempSync(join(tmpdir(), 'nomad-stanza-'))

const stanza = {
  enabled: true,
  sink: {
    audit: { type: 'file', delivery_guarantee: 'enforced', format: 'json', rotate_duration: '24h', mode: '0640' },
  },
  filter: {
    'OperationReceived GETs': {
      type: 'HTTPEvent',
      endpoints: ['*'],
      stages: ['OperationReceived'],
      operations: ['GET'],
    },
    metrics: { type: 'HTTPEvent', endpoints: ['/v1/metrics'], stages: ['*'], operations: ['*'] },
  },
}

const app = Fastify()
await app.register(audit, optionsFromNomadStanza(stanza, { dataDir }))
app.get('/v1/jobs', async () => [])
app.post('/v1/jobs', async () => ({}))
app.get('/v1/metrics', async () => '')

await app.inject('/v1/jobs')
await app.inject({ method: 'POST', url: '/v1/jobs' })
await app.inject('/v1/metrics')
await app.close()

const trail = readFileSync(join(dataDir, 'audit', 'audit.log'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line).payload)
  .filter(({ type }) => type === 'audit')
  .map(({ stage, request }) => `${stage} ${request.operation} ${request.endpoint}`)
console.log(trail.join('\n'))
assert.deepEqual(trail, [
  'OperationComplete GET /v1/jobs',
  'OperationReceived POST /v1/jobs',
  'OperationComplete POST /v1/jobs',
])
rmSync(dataDir, { recursive: true })

const mistaken = { enable: true, sink: { audit: { type: 'syslog', rotate_duration: '7d' } } }
assert.throws(
  () => optionsFromNomadStanza(mistaken),
  (error) => {
    assert.ok(error instanceof Error)
    console.log(`\n${error.message}`)
    return error.message.includes('did you mean `enabled`?')
  },
)
