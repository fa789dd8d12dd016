import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Gate } from './gate/gate.js'
import type { UpgradeGate } from './gate/upgrade.js'
import { answerOf, type Replacement, textOf } from './refusal.js'
import { closeAfterReply } from './websocket.js'

/** Where a reply that is held can be replaced. */
export interface HeldReply {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly gate: Gate
  readonly upgrade: UpgradeGate | null
}

/** Sends a replacement instead of the reply that is held. */
export function sendInstead(
  replacement: Replacement,
  { request, reply, gate, upgrade }: HeldReply,
  auditId: string,
  auditIdHeader: string | false,
): void {
  const answer = answerOf(replacement, reply, auditId, auditIdHeader)
  // Tell Fastify to ignore a reply that the handler may still send.
  reply.hijack()
  if (upgrade?.isHeld === true) {
    upgrade.refuse(textOf(answer))
    return
  }
  closeAfterReply(request, reply)
  gate.answer(answer)
}
