import type { ActionDefinitions } from '../event/vocabulary/define-actions.js'
import type { SinkLogger } from '../logger.js'
import type { FilterOptions } from '../policy/filter-options.js'
import type { CaptureOptions, Duration, RedactOptions, SinkOptions } from './types.js'

/** The options of `createAudit`: those of the plugin that are not about requests, and `log`. */
export interface StandaloneOptions {
  /**
   * The directory of the default file, `<dataDir>/audit/audit.log`; nothing else.
   * @default './data'
   */
  dataDir?: string | undefined
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
  /** The actions of the application, as `defineActions` gives them; without it any action is right. */
  actions?: ActionDefinitions | undefined
  /**
   * Limits of annotations and changes; those of bodies and headers have no use here.
   * @default { maxBodyBytes: '64KiB', requestHeaders: [], responseHeaders: [], maxAnnotations: 16, maxAnnotationBytes: '4KiB' }
   */
  capture?: CaptureOptions | undefined
  /**
   * Redaction in addition to what is built in.
   * @default { keys: [], mode: 'mask', keyId: '1', omit: [] }
   */
  redact?: RedactOptions | undefined
  /** The logger, such as pino's. Without it, warnings and errors go to standard error. */
  log?: SinkLogger | undefined
  /**
   * The longest time that `close()` waits for open work.
   * @default '10s'
   */
  closeTimeout?: Duration | undefined
  /**
   * The longest time that opening all sinks may take.
   * @default '8s'
   */
  openTimeout?: Duration | undefined
}
