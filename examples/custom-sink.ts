/** A sink of your own, here a table in SQLite's place: a batch is one transaction, and one row may be refused. */
import assert from 'node:assert/strict'
import Fastify from 'fastify'
import audit, { type AuditEntry, type AuditSink, AuditSinkUnavailable, BatchError } from 'fastify-audit-log'
import { FakeDatabase } from './support/fake-database.js'

class TableSink implements AuditSink {
  constructor(private readonly database: FakeDatabase) {}

  async open(): Promise<void> {
    try {
      await this.database.connect()
    } catch (cause) {
      // The database may come back: the server starts, refuses requests, and serves them once `idle` succeeds.
      throw new AuditSinkUnavailable('the audit database does not answer', { cause })
    }
  }

  async write(batch: readonly AuditEntry[]): Promise<void> {
    // One round trip for all of them, and no queue: the next batch gathers while this one is being stored.
    const rejected = await this.database.insert(batch.map(({ line }) => line))
    const failed = batch.filter((_, index) => rejected.has(index))
    // Without this the sink would vouch for rows that are not there. Entries it does not name are stored.
    if (failed.length > 0) throw new BatchError({ failed })
  }

  async idle(): Promise<void> {
    await this.database.connect()
  }

  async close(): Promise<void> {
    await this.database.disconnect()
  }
}

const database = new FakeDatabase()
const app = Fastify()
await app.register(audit, { sinks: [{ name: 'table', sink: new TableSink(database) }] })
app.get('/jobs', async () => [])
app.get('/jobs/unlucky', async () => [])

const served = await app.inject('/jobs')
database.rejects = (row) => row.includes('/jobs/unlucky')
const refused = await app.inject('/jobs/unlucky')
const servedAgain = await app.inject('/jobs')
await app.close()

console.log([served, refused, servedAgain].map(({ statusCode }) => statusCode).join(' '))
assert.deepEqual(
  [served, refused, servedAgain].map(({ statusCode }) => statusCode),
  [200, 503, 200],
)
console.log(database.rows.map((row) => JSON.parse(row).payload.type).join(' '))
