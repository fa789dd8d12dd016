/** Tests a sink of your own by the suite that every sink must pass, and by tests of its own, with a stand-in database. */
import Fastify from 'fastify'
import audit from 'fastify-audit-log'
import { testSink } from 'fastify-audit-log/testing'
import { describe, expect, it } from 'vitest'
import { type Connection, DatabaseSink } from './database-sink.js'

/** The parts of a database that the sink uses: transactions, a unique key, and a line that it never takes. */
class StandIn {
  readonly lines = new Map<string, string>()
  isDown = false
  /** Loses the connection before the next COMMIT is answered, whether it is carried out or not. */
  commitLost: 'carried out' | 'not carried out' | null = null

  readonly connect = async (): Promise<Connection> => {
    let isEnded = this.isDown
    let pending = new Map<string, string>()
    let saved = pending
    const query = async (sql: string, values: unknown[] = []): Promise<void> => {
      if (isEnded || this.isDown) throw new Error('the connection is lost')
      if (sql === 'BEGIN') pending = new Map()
      else if (sql.startsWith('SAVEPOINT')) saved = new Map(pending)
      else if (sql.startsWith('ROLLBACK TO')) pending = new Map(saved)
      else if (sql.startsWith('INSERT')) insert(pending, values)
      else if (sql === 'COMMIT') this.commit(pending)
    }
    const end = async (): Promise<void> => {
      isEnded = true
    }
    await query('SELECT 1')
    return { query, end }
  }

  private commit(pending: Map<string, string>): void {
    const { commitLost } = this
    this.commitLost = null
    if (commitLost !== 'not carried out') for (const [key, line] of pending) this.lines.set(key, line)
    if (commitLost !== null) throw new Error('the connection is lost')
  }
}

function insert(rows: Map<string, string>, [instance, sink, ...values]: unknown[]): void {
  for (let index = 0; index < values.length; index += 2) {
    const line = String(values[index + 1])
    if (line.includes('/odd')) throw Object.assign(new Error('value out of range'), { code: '22003' })
    rows.set(`${instance} ${sink} ${values[index]}`, line)
  }
}

const create = () => {
  const database = new StandIn()
  return { sink: new DatabaseSink(database.connect), database, read: () => [...database.lines.values()] }
}

testSink('the database sink', create, {
  describe,
  it,
  outage: {
    begin: ({ database }) => {
      database.isDown = true
    },
    end: ({ database }) => {
      database.isDown = false
    },
  },
})

async function serverOf({ sink }: Pick<ReturnType<typeof create>, 'sink'>) {
  const app = Fastify()
  await app.register(audit, { sinks: [{ name: 'database', sink }] })
  app.get('/*', async () => 'hello')
  await app.ready()
  await app.audit.flush()
  return app
}

describe('the database sink', () => {
  it('refuses an entry that the database will never take, and no other of its batch', async () => {
    const made = create()
    const app = await serverOf(made)
    const answers = await Promise.all(['/a', '/odd', '/b'].map((url) => app.inject(url)))
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 503, 200])
    await app.close()
    expect(app.audit.stats().sinks.database).toMatchObject({ notStored: 2, inDoubt: 0 })
  })

  it.each(['carried out', 'not carried out'] as const)(
    'is in doubt of a COMMIT without an answer (%s)',
    async (fate) => {
      const made = create()
      const app = await serverOf(made)
      made.database.commitLost = fate
      expect((await app.inject('/a')).statusCode).toBe(503)
      expect(app.audit.stats().sinks.database).toMatchObject({ notStored: 0, inDoubt: 1 })
      expect((await app.inject('/b')).statusCode).toBe(200)
      await app.close()
      const trail = made.read().map((line) => JSON.parse(line).payload.type)
      expect(trail.filter((type) => type === 'gap')).toHaveLength(1)
    },
  )

  it('serves without a restart when the database comes back after the boot', async () => {
    const made = create()
    made.database.isDown = true
    const app = await serverOf(made)
    expect((await app.inject('/a')).statusCode).toBe(503)
    made.database.isDown = false
    expect((await app.inject('/a')).statusCode).toBe(200)
    await app.close()
  })
})
