import type { FastifyReply } from 'fastify'
import type { EventBuilder } from '../../event/event-builder.js'
import type { Gate } from '../gate/gate.js'
import type { UpgradeGate } from '../gate/upgrade.js'
import type { ReplyNotes } from '../reply-notes.js'
import type { StageDelivery } from '../stage-delivery.js'
import { isUpgrade, keepWebsocket } from '../websocket.js'
import { type RunningContext, RunningReply } from './running-reply.js'
import { WatchedResponse } from './watched-response.js'
import { WatchedSocket } from './watched-socket.js'

const SWITCHING_PROTOCOLS = 101

/** Parts of an exchange whose reply goes on after Complete. */
export interface Followed {
  readonly context: RunningContext
  readonly reply: FastifyReply
  readonly records: EventBuilder
  readonly notes: ReplyNotes
  readonly stages: StageDelivery
  readonly gate: Gate
  readonly upgrade: UpgradeGate | null
}

/** Creates what follows a reply, by its response or by the socket of an upgrade. */
export function followReply(exchange: Followed, statusCode: number): RunningReply {
  const { context, reply, records, notes, stages, gate, upgrade } = exchange
  const exclusions = stages.exclusionsOfComplete(statusCode)
  if (statusCode === SWITCHING_PROTOCOLS && (upgrade !== null || isUpgrade(reply.request))) {
    const watched = new WatchedSocket(upgrade?.socket ?? null)
    keepWebsocket(reply.request, watched)
    return new RunningReply(context, records.end(), watched, exclusions)
  }
  return new RunningReply(context, records.end(), new WatchedResponse(reply.raw, gate, notes), exclusions)
}

/** Returns true if a reply goes on after its first bytes, as far as they tell. */
export function goesOn(statusCode: number, isWhole: boolean): boolean {
  return !isWhole || statusCode === SWITCHING_PROTOCOLS
}
