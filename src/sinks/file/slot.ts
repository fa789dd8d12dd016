import { hostname } from 'node:os'
import { AuditSinkLocked } from '../../errors.js'

/** More processes than write audit files on any machine. */
const MAX_SLOTS = 1024

/** Makes a host's name safe as part of a file's name. */
export function safeHostname(name: string = hostname()): string {
  const safe = name.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 255)
  return /^\.*$/.test(safe) ? 'host' : safe
}

/** Replaces `{hostname}`. */
export function fillHostname(path: string): string {
  return path.replaceAll('{hostname}', safeHostname())
}

/**
 * Takes the lowest slot that is free: `take` is tried with `path` for 0, 1 and so on, until it finds no lock in the
 * way.
 *
 * @throws `FST_AUDIT_SINK_LOCKED` when no slot is.
 */
export async function takeSlot<T>(path: string, take: (path: string) => Promise<T>): Promise<T> {
  for (let slot = 0; slot < MAX_SLOTS; slot++) {
    try {
      return await take(path.replaceAll('{slot}', String(slot)))
    } catch (error) {
      if (!(error instanceof AuditSinkLocked)) throw error
    }
  }
  throw new AuditSinkLocked(
    path,
    `all ${MAX_SLOTS} slots are taken. Set another \`path\`, such as one with {hostname} in it.`,
  )
}
