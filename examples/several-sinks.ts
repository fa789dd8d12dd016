/** An enforced file that requests wait for, and a best-effort copy on standard output that nothing waits for. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import audit from 'fastify-audit-log'

const folder = mkdtempSync(join(tmpdir(), 'several-sinks-'))
const path = join(folder, 'audit.log')
const app = Fastify()

await app.register(audit, {
  sinks: [
    { name: 'audit', type: 'file', path, deliveryGuarantee: 'enforced', rotateBytes: '100MiB' },
    {
      name: 'console',
      type: 'stdout',
      deliveryGuarantee: 'best-effort',
      // A sink may have a format of its own, and exclude more than the others do.
      format: ({ created_at, payload }) =>
        payload.type === 'audit'
          ? `${created_at} ${payload.request.operation} ${payload.response?.status_code}`
          : `${created_at} ${payload.type}`,
      filters: [{ name: 'received', endpoints: ['*'], stages: ['OperationReceived'], operations: ['*'] }],
    },
  ],
})
app.get('/jobs', async () => [])

await app.inject('/jobs')
await app.inject({ method: 'DELETE', url: '/jobs' })
await app.close()

const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
console.log(`${lines.length} lines in the file`)
assert.equal(lines.length, 6, 'start, two requests of two records each, stop')
rmSync(folder, { recursive: true })
