import type { EndFacts } from '../../event/formats/json-end.js'

interface Counters {
  readonly read: number | undefined
  readonly written: number | undefined
}

/** Counts the bytes on a connection from the moment at which it is created. */
export class ByteCounts {
  private readonly before: Counters

  constructor(
    private readonly connection: object,
    /** False if what is received may belong to another request. */
    private readonly countsReceived: boolean,
  ) {
    this.before = countersOf(connection)
  }

  since(): Pick<EndFacts, 'bytesReceived' | 'bytesSent'> {
    const { before, countsReceived } = this
    const { read, written } = countersOf(this.connection)
    return {
      bytesReceived: countsReceived ? difference(read, before.read) : undefined,
      bytesSent: difference(written, before.written),
    }
  }
}

/** Reads the counters of a connection; that of `inject` has none. */
function countersOf(connection: object): Counters {
  return { read: numberAt(connection, 'bytesRead'), written: numberAt(connection, 'bytesWritten') }
}

function numberAt(connection: object, key: string): number | undefined {
  const value: unknown = Reflect.get(connection, key)
  return typeof value === 'number' ? value : undefined
}

function difference(now: number | undefined, before: number | undefined): number | undefined {
  return now === undefined || before === undefined || now < before ? undefined : now - before
}
