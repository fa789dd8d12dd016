import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import type { JsonValue, LifecycleDetails } from '../event/event.js'
import { packageVersion } from '../event/package-version.js'
import type { ActionDefinition } from '../event/vocabulary/define-actions.js'
import type { ResolvedOptions, ResolvedSink } from '../options/parse.js'

/** Builds the details of a trail's start entry: the process and its options. */
export function startDetails(
  options: ResolvedOptions,
  instance: string,
  exemptedRoutes: readonly string[],
): LifecycleDetails['start'] {
  const { filters, rules, sinks } = options
  const only = sinks.flatMap((sink) => (sink.only ?? []).map((selector) => ({ sink: sink.name, ...selector })))
  return {
    version: packageVersion(),
    instance,
    hostname: hostname(),
    pid: process.pid,
    node: process.version,
    filters: toJsonValue([...filters, ...sinks.flatMap((sink) => sink.filters)]),
    ...(only.length > 0 && { only: toJsonValue(only) }),
    rules: toJsonValue(rules),
    exempted_routes: [...exemptedRoutes],
    options_digest: digestOf(options),
  }
}

function digestOf(options: ResolvedOptions): string {
  // Leave the secret out: its digest would help to guess it.
  const redact = { ...options.redact, secret: undefined }
  const actions = options.actions && Object.entries(options.actions).map(describeAction)
  const described = { ...options, sinks: options.sinks.map(describeSink), redact, actions }
  const json = JSON.stringify(described, (_, value: unknown) => (typeof value === 'function' ? '[function]' : value))
  return createHash('sha256').update(json).digest('hex')
}

/** Leaves out the schema of annotations, which may hold anything. */
function describeAction([name, { targets, annotations }]: [string, ActionDefinition]): object {
  return { name, targets, annotations: annotations?.['~standard'].vendor }
}

/** Leaves out a sink instance, which may hold anything: a socket, a secret, itself. */
function describeSink(sink: ResolvedSink): object {
  const seal = sink.seal === null ? null : { ...sink.seal, secret: undefined, privateKey: undefined }
  return sink.type === 'custom' ? { ...sink, seal, sink: '[instance]' } : { ...sink, seal }
}

function toJsonValue(value: object): JsonValue {
  return JSON.parse(JSON.stringify(value))
}
