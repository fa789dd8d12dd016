import type { AuditEvent } from '../../event/event.js'
import type { AuditEntry } from '../sink.js'

const INSTANCE = '5f0c7a1e-2f4b-4d1c-9a55-0d6c1f7f3b52'
const TIME = '2026-03-24T17:09:35.704Z'

/** Makes the entry with number `seq` of a request for `endpoint`, in the format `json`. */
export function makeEntry(seq: number, endpoint: string): AuditEntry {
  const event = makeEvent(seq, endpoint)
  return { line: JSON.stringify(event), event }
}

/** An entry of a sealed sink. */
export function makeSealedEntry(seq: number): AuditEntry {
  const event = { ...makeEvent(seq, '/sealed'), prev: '0'.repeat(64), hash: '1'.repeat(64) }
  return { line: JSON.stringify(event), event }
}

/** Makes a line as a user's own format may: it holds no line break, but any other character. */
export function makeStrangeEntry(seq: number, text: string): AuditEntry {
  return { line: `${text} ${seq}`, event: makeEvent(seq, '/') }
}

function makeEvent(seq: number, endpoint: string): AuditEvent {
  return {
    created_at: TIME,
    event_type: 'audit',
    instance: INSTANCE,
    seq,
    payload: {
      id: `8b826146-b264-4f15-8526-${String(seq).padStart(12, '0')}`,
      stage: 'OperationReceived',
      type: 'audit',
      timestamp: TIME,
      version: 1,
      auth: { accessor_id: 'u-23' },
      request: {
        id: `req-${seq}`,
        operation: 'GET',
        endpoint,
        namespace: { id: 'default' },
        request_meta: { remote_address: '127.0.0.1:33874' },
        node_meta: { ip: '127.0.0.1:4646' },
      },
    },
  }
}
