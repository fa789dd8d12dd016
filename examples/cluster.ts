/**
 * Workers of Node's cluster, each with an audit file of its own: `{slot}` in the path is the lowest number that no other
 * process holds. A worker that is killed is replaced by one with its slot; new workers that start while the old ones
 * still drain get the next slots.
 */
import assert from 'node:assert/strict'
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import audit from 'fastify-audit-log'

if (cluster.isPrimary) await lead()
else await serve(process.env.AUDIT_FOLDER ?? '.')

/** A worker: serves until it is told to stop, then closes its trail. */
async function serve(folder: string): Promise<void> {
  const app = Fastify()
  await app.register(audit, { sinks: [{ name: 'audit', type: 'file', path: join(folder, 'audit-{slot}.log') }] })
  app.get('/jobs', async () => ({ pid: process.pid }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  process.once('message', async () => {
    await app.close()
    cluster.worker?.disconnect()
  })
}

async function lead(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'audit-cluster-'))
  const fork = (): Promise<[Worker, number]> => start(folder)
  const [victim, port] = await fork()
  const [other] = await fork()
  await ask(port, 20)
  show('two workers', folder)
  assert.deepEqual(files(folder), ['audit-0.log', 'audit-1.log'])

  victim.process.kill('SIGKILL')
  await once(victim, 'exit')
  const [replacement] = await fork()
  await ask(port, 20)
  show('one was killed and replaced', folder)
  assert.deepEqual(files(folder), ['audit-0.log', 'audit-1.log'], 'the new one has the slot of the one that was killed')

  const next = [await fork(), await fork()]
  await Promise.all([replacement, other].map(stop))
  await ask(port, 20)
  show('a restart: new workers started before the old ones stopped', folder)
  assert.deepEqual(files(folder), ['audit-0.log', 'audit-1.log', 'audit-2.log', 'audit-3.log'])

  await Promise.all(next.map(([worker]) => stop(worker)))
  const records = files(folder)
    .flatMap((name) => read(folder, name))
    .filter((line) => line.includes('"type":"audit"'))
  console.log(`${records.length} records of 60 requests`)
  assert.equal(records.length, 120, 'two records of each request, whichever worker served it')
  rmSync(folder, { recursive: true })
}

/** Starts a worker; resolves when it listens, with its port, which all of them share. */
async function start(folder: string): Promise<[Worker, number]> {
  const worker = cluster.fork({ AUDIT_FOLDER: folder })
  const [address] = await once(worker, 'listening')
  return [worker, address.port]
}

async function stop(worker: Worker): Promise<void> {
  const exit = once(worker, 'exit')
  worker.send('stop')
  await exit
}

/** Sends `count` requests, each on a connection of its own, so that all workers get some. */
async function ask(port: number, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent++) {
    const [response] = await once(get({ host: '127.0.0.1', port, path: '/jobs', agent: false }), 'response')
    assert.equal(response.statusCode, 200)
    response.resume()
    await once(response, 'end')
  }
}

function show(what: string, folder: string): void {
  console.log(
    `${what}: ${files(folder)
      .map((name) => `${name} ${read(folder, name).length} lines`)
      .join(', ')}`,
  )
}

function files(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .sort()
}

function read(folder: string, name: string): string[] {
  return readFileSync(join(folder, name), 'utf8').trimEnd().split('\n')
}
