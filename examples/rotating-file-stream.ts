/**
 * A best-effort copy through the library rotating-file-stream, for features that the file sink does not have, such as
 * compressed archives. The library does not notice a line that a full disk cut short: use a sink of `type: 'file'` for
 * the trail that must be complete.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import audit, { streamSink } from 'fastify-audit-log'
import { createStream } from 'rotating-file-stream'

const folder = mkdtempSync(join(tmpdir(), 'rotating-file-stream-'))
const stream = createStream('audit.log', { path: folder, size: '4K', compress: 'gzip', maxFiles: 10 })
const app = Fastify()

await app.register(audit, {
  sinks: [{ name: 'copy', deliveryGuarantee: 'best-effort', sink: streamSink(stream) }],
})
app.get('/jobs', async () => [])

for (let request = 0; request < 20; request++) {
  await app.inject(`/jobs?page=${request}`)
  await app.audit.flush()
}
const { stored, lost } = app.audit.stats().sinks.copy ?? {}
await app.close()

const files = readdirSync(folder)
console.log(`${stored} entries stored, ${lost} lost, in ${files.join(', ')}`)
assert.equal(lost, 0)
assert.ok(files.length > 1, 'the file was rotated')
rmSync(folder, { recursive: true })
