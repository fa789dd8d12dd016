import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { AuditUnsupportedRuntime } from '../../errors.js'
import type { Gate } from './gate.js'
import { Http1Gate, type Http1Response } from './http1.js'
import { Http2Gate, type Http2Response } from './http2.js'
import { InjectGate, type InjectResponse } from './inject.js'
import type { GateKeeper } from './keeper.js'

/**
 * Creates the gate for this kind of response.
 *
 * @throws `FST_AUDIT_UNSUPPORTED_RUNTIME` for a response that is not one of Node's.
 */
export function gateFor(raw: object, keeper: GateKeeper): Gate {
  if (isHttp1(raw)) return isInject(raw) ? new InjectGate(raw, keeper) : new Http1Gate(raw, keeper)
  if (isHttp2(raw)) return new Http2Gate(raw, keeper)
  throw new AuditUnsupportedRuntime('its response is not one of Node', process.version)
}

/**
 * Checks the gate with one reply that goes nowhere. A Node version that sends its bytes in another way stops the boot,
 * instead of letting every reply pass unrecorded.
 *
 * @throws `FST_AUDIT_UNSUPPORTED_RUNTIME` when it was not held.
 */
export function checkRuntime(): void {
  const raw = new ServerResponse(new IncomingMessage(new Socket()))
  let status = 0
  const onReply = (statusCode: number): void => {
    status = statusCode
  }
  gateFor(raw, {
    onReply,
    onUnsent: () => undefined,
    onGivenUp: () => undefined,
    onGateError: () => undefined,
  }).install()
  raw.writeHead(201).end('held')
  if (status !== 201 || !raw.writableEnded || raw.writableLength === 0) {
    throw new AuditUnsupportedRuntime('a reply of node:http was not held', process.version)
  }
}

function isHttp1(raw: object): raw is Http1Response {
  return '_writeRaw' in raw && '_flush' in raw && 'outputData' in raw
}

function isInject(raw: Http1Response): raw is InjectResponse {
  return '_lightMyRequest' in raw
}

function isHttp2(raw: object): raw is Http2Response {
  return 'stream' in raw
}
