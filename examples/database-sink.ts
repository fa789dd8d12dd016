/** A sink of your own: a database with transactions. `database-sink.test.ts` tests it, without a database. */
import { type AuditEntry, type AuditSink, AuditSinkUnavailable, BatchError, type SinkContext } from 'fastify-audit-log'

/** The part of a connection that the sink uses; a `Client` of the package `pg` has it. */
export interface Connection {
  query(sql: string, values?: unknown[]): Promise<unknown>
  end(): Promise<void>
}

export class DatabaseSink implements AuditSink {
  private sink = ''
  private connection: Connection | undefined

  constructor(private readonly connect: () => Promise<Connection>) {}

  async open({ name }: SinkContext): Promise<void> {
    this.sink = name
    try {
      await this.idle()
    } catch (cause) {
      // The database may come back. Any other error would stop the boot.
      throw new AuditSinkUnavailable('the audit database does not answer', { cause })
    }
  }

  async write(batch: readonly AuditEntry[]): Promise<void> {
    const refused = new Set<AuditEntry>()
    await this.using(async (connection) => {
      await connection.query('BEGIN')
      await this.insert(connection, batch, refused)
    })
    try {
      await this.using((connection) => connection.query('COMMIT'))
    } catch (cause) {
      // The COMMIT may have been carried out although no answer came, so that all entries are in doubt.
      throw new BatchError({ failed: [...refused], inDoubt: batch.filter((entry) => !refused.has(entry)), cause })
    }
    if (refused.size > 0) throw new BatchError({ failed: [...refused] })
  }

  /** Checks after a failure whether the database works again. */
  async idle(): Promise<void> {
    await this.using((connection) => connection.query('SELECT 1'))
  }

  async close(): Promise<void> {
    const { connection } = this
    this.connection = undefined
    await connection?.end()
  }

  /** Runs `work` on a connection. A connection that failed is closed, so that the database undoes what was not committed. */
  private async using(work: (connection: Connection) => Promise<unknown>): Promise<void> {
    this.connection ??= await this.connect()
    try {
      await work(this.connection)
    } catch (error) {
      await Promise.allSettled([this.close()])
      throw error
    }
  }

  /** Stores all entries at once. If the database refuses that, stores them one by one, so that a bad entry fails alone. */
  private async insert(connection: Connection, batch: readonly AuditEntry[], refused: Set<AuditEntry>): Promise<void> {
    await connection.query('SAVEPOINT batch')
    try {
      await this.insertRows(connection, batch)
    } catch (error) {
      if (!isRefusal(error)) throw error
      await connection.query('ROLLBACK TO SAVEPOINT batch')
      if (batch.length === 1) for (const entry of batch) refused.add(entry)
      else for (const entry of batch) await this.insert(connection, [entry], refused)
    }
  }

  private async insertRows(connection: Connection, batch: readonly AuditEntry[]): Promise<void> {
    const rows = batch.map((_, index) => `($1, $2, $${2 * index + 3}, $${2 * index + 4})`)
    const values = batch.flatMap(({ event, line }) => [event.seq, line])
    const sql = `INSERT INTO audit_log (instance, sink, seq, line) VALUES ${rows} ON CONFLICT DO NOTHING`
    await connection.query(sql, [batch[0]?.event.instance, this.sink, ...values])
  }
}

/** Whether the database refused a row because of its content (SQLSTATE classes 22 and 23), as it would every time. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^2[23]/.test(String(error.code))
}
