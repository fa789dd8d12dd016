import type { ActionPayload } from '../../../src/event/action.js'
import type { EventPayload, LifecycleDetails, TrailEvent } from '../../../src/event/event.js'
import type { AuditEntry } from '../../../src/sinks/sink.js'

const TIME = '2026-03-24T17:09:35.704Z'

/** Makes entries as a sink is given them, each with the next number. */
export class Trail {
  readonly entries: AuditEntry[] = []

  received(id: string, changed: Partial<EventPayload> = {}): this {
    return this.add({ ...requestPayload(id), ...changed, stage: 'OperationReceived' })
  }

  complete(id: string, status: number, changed: Partial<EventPayload> = {}): this {
    const response = { status_code: status, duration_ms: 1 }
    return this.add({ ...requestPayload(id), response, ...changed, stage: 'OperationComplete' })
  }

  action(id: string, changed: Partial<ActionPayload> = {}): this {
    return this.add({ ...ACTION, id, ...changed })
  }

  correction(id: string, correction: LifecycleDetails['correction']): this {
    return this.add({ id, type: 'correction', timestamp: TIME, version: 1, correction })
  }

  end(id: string, end: LifecycleDetails['end']): this {
    return this.add({ id, type: 'end', timestamp: TIME, version: 1, end })
  }

  stop(): this {
    const stop = { stored: 1, lost: 0, in_doubt: 0, open: 0 }
    return this.add({ id: 'stop', type: 'stop', timestamp: TIME, version: 1, stop })
  }

  private add(payload: TrailEvent['payload']): this {
    const envelope = { created_at: TIME, event_type: 'audit', instance: 'i', seq: this.entries.length }
    const line = JSON.stringify({ ...envelope, payload })
    this.entries.push({ line, event: JSON.parse(line) })
    return this
  }
}

const ACTION: ActionPayload = {
  id: '',
  type: 'action',
  timestamp: TIME,
  version: 1,
  auth: { accessor_id: 'u-7', name: 'Ada' },
  namespace: { id: 'default' },
  action: 'report.export',
}

function requestPayload(id: string): EventPayload {
  return {
    id,
    stage: 'OperationReceived',
    type: 'audit',
    timestamp: TIME,
    version: 1,
    auth: { accessor_id: 'u-7', name: 'Ada' },
    request: {
      id: 'req-1',
      operation: 'POST',
      endpoint: `/invoices/${id}/refund?fast=1`,
      route: '/invoices/:id/refund',
      namespace: { id: 'default' },
      request_meta: {},
      node_meta: {},
    },
  }
}
