import type { SinkLogger } from '../logger.js'
import { checkedOptions } from './parse.js'
import { type ResolvedOptions, resolveOptions } from './resolve.js'
import { OF_SINKS, optionsSchema } from './schema.js'
import { live, strict } from './values.js'

const { dataDir, sinks, filters, actions, capture, redact, closeTimeout, openTimeout } = optionsSchema.shape

const ABOUT_REQUESTS = 'it is about requests, which there are none of without a server; leave it out'

/** The options of the plugin that `createAudit` does not take, and why. */
const REFUSED = {
  ...OF_SINKS,
  enabled: 'an audit that is created is on; create none, or give it `sinks: [{ name: …, sink: memorySink() }]`',
  scope: ABOUT_REQUESTS,
  level: ABOUT_REQUESTS,
  rules: ABOUT_REQUESTS,
  identity: 'it is asked about requests; give each action its `actor`',
  namespace: 'it is asked about requests; give each action its `namespace`',
  trace: ABOUT_REQUESTS,
  auditIdHeader: ABOUT_REQUESTS,
  abortTimeout: ABOUT_REQUESTS,
}

export const standaloneSchema = strict(
  'options',
  {
    dataDir,
    sinks,
    filters,
    actions,
    capture,
    redact,
    log: live<SinkLogger>(loggerProblem).optional(),
    closeTimeout,
    openTimeout,
  },
  REFUSED,
)

/** The options that a standalone runtime works with, and its logger. */
export interface ResolvedStandalone {
  readonly options: ResolvedOptions
  readonly log: SinkLogger | undefined
}

/**
 * Checks the options of `createAudit`, and decides each of them; those about requests get their defaults.
 *
 * @throws `FST_AUDIT_INVALID_OPTIONS` with every mistake.
 */
export function parseStandaloneOptions(input: unknown): ResolvedStandalone {
  const { log, ...options } = checkedOptions(standaloneSchema, input)
  return { options: resolveOptions({ ...optionsSchema.parse({}), ...options }), log }
}

/** Checks a value that should be a logger. */
function loggerProblem(value: unknown): string | undefined {
  const isLogger =
    typeof value === 'object' &&
    value !== null &&
    ['info', 'warn', 'error'].every((level) => typeof Reflect.get(value, level) === 'function')
  return isLogger
    ? undefined
    : 'is not a logger; give an object with the methods `info`, `warn` and `error`, such as `pino()`'
}
