import { AuditInvalidKey } from '../../errors.js'
import { asCheckpoint, type Checkpoint } from '../../event/checkpoint.js'
import { parseJson } from '../../json.js'

const HASH = /^[0-9a-f]{64}$/

/**
 * Reads what a trail must reach: the hash of a line, and the checkpoint if it is one.
 *
 * @throws `FST_AUDIT_INVALID_KEY` when it is neither a checkpoint nor a hash.
 */
export function expectationOf(expected: Checkpoint | string): { hash: string; checkpoint?: Checkpoint } {
  const hash = typeof expected === 'string' ? expected.trim().toLowerCase() : ''
  if (HASH.test(hash)) return { hash }
  const checkpoint = asCheckpoint(typeof expected === 'string' ? parsed(expected) : expected)
  if (checkpoint === undefined || !HASH.test(checkpoint.hash)) {
    throw new AuditInvalidKey('what is expected is neither a checkpoint nor the `hash` of a line; give either')
  }
  return { hash: checkpoint.hash, checkpoint }
}

/** Reads a checkpoint as `onCheckpoint` gets it, or from its line in the trail. */
function parsed(text: string): unknown {
  const value = parseJson(text)
  return memberOf(memberOf(value, 'payload') ?? value, 'checkpoint') ?? value
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}
