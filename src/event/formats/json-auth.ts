import type { ChangeReport } from '../../redact/change-report.js'
import { quote } from '../bounded-text.js'
import type { EventAuth } from '../event.js'
import { BOUNDS } from '../limits.js'
import { writeTexts } from './json-lists.js'

const NAMES = { items: BOUNDS.names, bytes: BOUNDS.identity }

/** Nomad's anonymous token, for a request without an identity. */
export const ANONYMOUS: EventAuth = {
  accessor_id: 'anonymous',
  name: 'Anonymous Token',
  policies: ['anonymous'],
  create_time: '0001-01-01T00:00:00Z',
}

/** An identity; every string of it is bounded. */
export function writeAuth(auth: EventAuth, changes: ChangeReport): string {
  const { redactor } = changes
  let json = `{"accessor_id":${quote(auth.accessor_id, BOUNDS.identity, 'auth.accessor_id', changes)}`
  if (auth.name !== undefined && !redactor.omits('auth.name'))
    json += `,"name":${quote(auth.name, BOUNDS.identity, 'auth.name', changes)}`
  if (auth.policies !== undefined && !redactor.omits('auth.policies'))
    json += `,"policies":${writeTexts(auth.policies, NAMES, 'auth.policies', changes)}`
  if (auth.groups !== undefined && !redactor.omits('auth.groups'))
    json += `,"groups":${writeTexts(auth.groups, NAMES, 'auth.groups', changes)}`
  if (auth.global !== undefined && !redactor.omits('auth.global')) json += `,"global":${auth.global}`
  if (auth.create_time !== undefined && !redactor.omits('auth.create_time')) {
    json += `,"create_time":${quote(auth.create_time, BOUNDS.identity, 'auth.create_time', changes)}`
  }
  if (auth.method !== undefined && !redactor.omits('auth.method'))
    json += `,"method":${quote(auth.method, BOUNDS.identity, 'auth.method', changes)}`
  if (auth.on_behalf_of !== undefined && !redactor.omits('auth.on_behalf_of')) {
    json += `,"on_behalf_of":${quote(auth.on_behalf_of, BOUNDS.identity, 'auth.on_behalf_of', changes)}`
  }
  return `${json}}`
}

/** Tells whether a written identity is another one that now acts on behalf of somebody. */
export function isOnBehalf(auth: string, later: string): boolean {
  // `on_behalf_of` is written last.
  return later.startsWith(`${auth.slice(0, -1)},"on_behalf_of":`)
}
