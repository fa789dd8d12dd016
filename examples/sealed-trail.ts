/** A sealed trail with checkpoints kept elsewhere: it verifies, until somebody edits a line. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import audit, { type Checkpoint, verifyTrail } from 'fastify-audit-log'

const folder = mkdtempSync(join(tmpdir(), 'sealed-trail-'))
const path = join(folder, 'audit.log')
// Take yours from your store of secrets: see docs/integrity.md.
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const keptElsewhere: Checkpoint[] = []

const app = Fastify()
await app.register(audit, {
  sinks: [
    {
      name: 'audit',
      type: 'file',
      path,
      seal: { privateKey, onCheckpoint: (checkpoint) => void keptElsewhere.push(checkpoint) },
    },
  ],
})
app.delete<{ Params: { name: string } }>('/v1/jobs/:name', async (request) => ({ stopped: request.params.name }))
await app.inject({ method: 'DELETE', url: '/v1/jobs/web' })
await app.close()

const options = { publicKey, expect: keptElsewhere.at(-1) }
const { ok, sealed, checkpoints } = await verifyTrail([path], options)
assert.deepEqual([ok, checkpoints], [true, keptElsewhere.length])
console.log(`The trail holds: ${sealed} lines are sealed`)

writeFileSync(path, readFileSync(path, 'utf8').replace('/v1/jobs/web', '/v1/jobs/db1'))
const { problems } = await verifyTrail([path], options)
assert.equal(problems[0]?.kind, 'altered')
for (const { kind, line, message } of problems) console.log(`line ${line} ${message} (${kind})`)
rmSync(folder, { recursive: true })
