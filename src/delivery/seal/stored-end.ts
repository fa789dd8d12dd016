import type { LifecycleDetails } from '../../event/event.js'
import { GENESIS, sealHash, sealOf } from '../../event/seal-line.js'
import type { SinkLogger } from '../../logger.js'
import type { AuditSink } from '../../sinks/sink.js'

/** The end of a sink's chain: its last sealed line, if there is one. */
export interface StoredEnd {
  readonly chain: LifecycleDetails['seal']['chain']
  /** The `prev` of the next line. */
  readonly hash: string
  /** The SHA-256 of the last line, if that has no seal. */
  readonly unsealed?: string
}

/**
 * Finds the end of the chain. A line without a seal after sealed ones must not make the chain begin anew: then whoever
 * appends one could rewrite the lines before it.
 */
export async function findStoredEnd(sink: Pick<AuditSink, 'tail'>): Promise<StoredEnd> {
  if (sink.tail === undefined) return { chain: 'unknown', hash: GENESIS }
  const last = await sink.tail()
  if (last === undefined) return { chain: 'new', hash: GENESIS }
  const seal = sealOf(last)
  if (seal !== undefined) return { chain: 'resumed', hash: seal.hash }
  const unsealed = sealHash(last, undefined)
  const lastSealed = await sink.tail({ sealed: true })
  if (lastSealed === undefined) return { chain: 'unsealed', hash: GENESIS, unsealed }
  const sealed = sealOf(lastSealed)
  // A sink that ignores the option returns its last line again: it does not know.
  if (sealed === undefined) return { chain: 'unknown', hash: GENESIS, unsealed }
  return { chain: 'resumed', hash: sealed.hash, unsealed }
}

/** Logs an end at which a chain begins, or at which lines have no seal. */
export function logStoredEnd({ chain, hash, unsealed }: StoredEnd, sink: string, log: SinkLogger): void {
  const details = { sink, unsealed }
  if (chain === 'new') {
    const message = 'the audit trail is empty, so a chain begins; if it was not empty, its lines are gone'
    log.info({ sink }, message)
  } else if (chain === 'resumed' && unsealed !== undefined) {
    const message =
      'the audit trail has lines without a seal after its last sealed one: somebody else wrote them, or sealing was off; ' +
      'the chain goes on from the last sealed line; run `fastify-audit-log verify` to see where they are'
    log.error({ ...details, sealed: hash }, message)
  } else if (chain === 'unsealed') {
    const message =
      'the audit trail has no line with a seal, so a chain begins after its last line; if it was sealed before, its sealed ' +
      'lines are gone: verify it against a checkpoint that was kept elsewhere'
    log.warn(details, message)
  } else if (unsealed !== undefined) {
    const message =
      'the last line of the audit trail has no seal, and its sink cannot tell which sealed line is its last, so a chain ' +
      'begins; have the `tail` of the sink take `{ sealed: true }`'
    log.error(details, message)
  }
}
