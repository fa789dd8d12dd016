import type { LevelOption } from '../event/level.js'
import type { IdentityFunction, NamespaceFunction, TraceFunction } from '../event/request-functions.js'
import type { ActionDefinitions } from '../event/vocabulary/define-actions.js'
import type { FilterOptions } from '../policy/filter-options.js'
import type { RuleOptions } from '../policy/rules.js'
import type { CaptureOptions, Duration, RedactOptions, SinkOptions } from './types.js'

/** The options of the plugin. */
export interface AuditOptions {
  /**
   * `false`: nothing is recorded and no hook is added; the decorators stay, and do nothing.
   * @default true
   */
  enabled?: boolean | undefined
  /**
   * The directory of the default file, `<dataDir>/audit/audit.log`; nothing else.
   * @default './data'
   */
  dataDir?: string | undefined
  /**
   * `'plugin'`: audits only the part of the server that it is registered in, not all of it.
   * @default 'root'
   */
  scope?: 'root' | 'plugin' | undefined
  /**
   * The places where events are stored.
   * @default [{ name: 'audit', type: 'file' }]
   */
  sinks?: readonly SinkOptions[] | undefined
  /**
   * Events that no sink records.
   * @default []
   */
  filters?: readonly FilterOptions[] | undefined
  /**
   * The level, which decides how much is recorded: `'none'`, `'metadata'`, `'request'` or `'response'`, or 0 to 3.
   * @default 'metadata'
   */
  level?: LevelOption | undefined
  /**
   * Rules that give requests another level; the first that matches decides.
   * @default []
   */
  rules?: readonly RuleOptions[] | undefined
  /** The actions of the application, as `defineActions` gives them; without it any action is right. */
  actions?: ActionDefinitions | undefined
  /**
   * Limits of bodies, headers, annotations and changes.
   * @default { maxBodyBytes: '64KiB', requestHeaders: [], responseHeaders: [], maxAnnotations: 16, maxAnnotationBytes: '4KiB', maxChanges: 64, maxChangesBytes: '8KiB' }
   */
  capture?: CaptureOptions | undefined
  /**
   * Redaction in addition to what is built in.
   * @default { keys: [], mode: 'mask', keyId: '1', omit: [] }
   */
  redact?: RedactOptions | undefined
  /** Returns the caller of a request; without it everybody is anonymous. */
  identity?: IdentityFunction | undefined
  /** Returns the namespace of a request; without it `default`. */
  namespace?: NamespaceFunction | undefined
  /** Returns the trace context of the server's own span, which is recorded beside the header `traceparent`. */
  trace?: TraceFunction | undefined
  /**
   * The response header that carries the event's id; `false`: none.
   * @default false
   */
  auditIdHeader?: string | false | undefined
  /**
   * The longest time that a closing server waits for open exchanges.
   * @default '10s'
   */
  closeTimeout?: Duration | undefined
  /**
   * The longest wait for the outcome of a request whose client has left.
   * @default '30s'
   */
  abortTimeout?: Duration | undefined
  /**
   * The longest time that opening all sinks may take; keep it below Fastify's `pluginTimeout` (10 s).
   * @default '8s'
   */
  openTimeout?: Duration | undefined
}
