import type { TrailQuery } from '../reader/query.js'
import { optionValue, type Parsed } from './arguments.js'
import { type OptionDefinitions, UsageError } from './usage.js'

export const FILTER_OPTIONS = {
  since: {
    value: 'TIME',
    help: 'received or recorded at or after: RFC 3339, a day (UTC), or a duration before now such as 2h',
  },
  until: { value: 'TIME', help: 'received or recorded before: as --since' },
  actor: { value: 'WHO', multiple: true, help: "accessor_id or name, exactly; 'anonymous' for nobody" },
  action: { value: 'GLOB', multiple: true, help: "what was done, such as 'invoice.*'" },
  target: {
    value: 'GLOB',
    multiple: true,
    help: "to which thing, such as 'invoice:42'; 'invoice' is any of this type",
  },
  outcome: { value: 'OUTCOME', multiple: true, help: 'of an action: success, failure or denied' },
  operation: { value: 'METHOD', multiple: true, help: 'GET, DELETE, …' },
  endpoint: {
    value: 'GLOB',
    multiple: true,
    help: "the URL's path, such as '/v1/jobs/*'; with a ? in it, the whole URL",
  },
  status: { value: 'STATUS', multiple: true, help: '403, or a class such as 5xx' },
  id: { value: 'ID', multiple: true, help: 'the audit id, or its first 8 characters or more' },
  parent: { value: 'ID', multiple: true, help: 'belongs to the request or the work with this id, as --id' },
  namespace: { value: 'NAME', multiple: true, help: 'the namespace, exactly' },
  annotation: {
    value: 'KEY[=VALUE]',
    multiple: true,
    help: 'has this annotation, with this value; all that are given',
  },
} as const satisfies OptionDefinitions

export const ACCESS_OPTION = {
  'record-access': { value: 'FILE', help: 'appends who reads what to FILE, before anything is printed' },
} as const satisfies OptionDefinitions

export const HELP_OPTION = {
  help: { short: 'h', help: 'shows this help' },
} as const satisfies OptionDefinitions

/** Makes a query of the filter options. */
export function queryOf(parsed: Parsed): TrailQuery {
  const { values } = parsed
  return {
    since: optionValue(parsed, 'since'),
    until: optionValue(parsed, 'until'),
    actor: values.get('actor'),
    action: values.get('action'),
    target: values.get('target'),
    outcome: values.get('outcome'),
    operation: values.get('operation'),
    endpoint: values.get('endpoint'),
    status: values.get('status'),
    id: values.get('id'),
    parent: values.get('parent'),
    namespace: values.get('namespace'),
    annotations: annotationsOf(values.get('annotation') ?? []),
    open: values.has('open'),
  }
}

/** Whether any filter option was given. */
export function hasFilters({ values }: Parsed): boolean {
  return Object.keys(FILTER_OPTIONS).some((name) => values.has(name))
}

/**
 * Returns the paths of a command line.
 *
 * @throws {UsageError} when there is none.
 */
export function pathsOf({ paths }: Parsed): readonly string[] {
  if (paths.length === 0)
    throw new UsageError('name the trail: its file, such as data/audit/audit.log, or its directory')
  return paths
}

function annotationsOf(given: readonly string[]): Record<string, string | true> | undefined {
  if (given.length === 0) return undefined
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=')
      if (at === 0) throw new UsageError(`--annotation ${text} has no key; write it as order=42`)
      return at === -1 ? [text, true] : [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}
