/**
 * A server whose audit file another program rotates, as logrotate does: it renames the file, then sends SIGHUP, and the
 * server goes on in a new file at once. This program plays both.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import audit from 'fastify-audit-log'

const folder = mkdtempSync(join(tmpdir(), 'reopen-on-sighup-'))
const path = join(folder, 'audit.log')
const app = Fastify()

// The sink rotates nothing by itself.
await app.register(audit, { sinks: [{ name: 'audit', type: 'file', path, rotateDuration: 0 }] })
app.get('/jobs', async () => [])

const reopen = (): void => {
  // A file that cannot be opened must not end the process: requests are refused until it can.
  app.audit.reopen().catch((error: unknown) => app.log.error(error, 'the audit file cannot be reopened'))
}
process.on('SIGHUP', reopen)

await app.inject('/jobs?day=1')

// Does what logrotate does with `nocreate`, and what its postrotate script does.
const rotated = `${path}.1`
renameSync(path, rotated)
process.kill(process.pid, 'SIGHUP')

while (!existsSync(path)) await sleep(20)
await app.inject('/jobs?day=2')
await app.close()
process.off('SIGHUP', reopen)

for (const [file, day, other] of [
  [rotated, 'day=1', 'day=2'],
  [path, 'day=2', 'day=1'],
] as const) {
  const text = readFileSync(file, 'utf8')
  console.log(`${file}: ${text.trimEnd().split('\n').length} lines, those of ${day} and none of ${other}`)
  assert.equal(text.split(day).length - 1, 2, `two lines of ${day} in ${file}`)
  assert.equal(text.includes(other), false, `no line of ${other} in ${file}`)
}
rmSync(folder, { recursive: true })
