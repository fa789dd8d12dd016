import type { KeyObject } from 'node:crypto'
import type { CheckpointFunction } from '../event/checkpoint.js'
import type { TrailEvent } from '../event/event.js'
import type { FilterOptions } from '../policy/filter-options.js'
import type { SelectorOptions } from '../policy/selection.js'
import type { OmittablePath } from '../redact/redactor.js'
import type { AuditSink } from '../sinks/sink.js'

// The options as users write them. A compiler drops the comments of types that are inferred from a schema, so these are
// written out for editors; the tests hold them equal to the schema, and each `@default` to its default.

/** Turns an event into the one line that is stored. */
export type FormatFunction = (event: TrailEvent) => string

/** `'enforced'`: what cannot be stored is refused; `'best-effort'`: it goes on, and the loss is counted. */
export type DeliveryGuarantee = 'enforced' | 'best-effort'

/** One of Go's durations, such as `'1h30m'`, or 0. */
export type Duration = string | 0

/** Bytes, or a size such as `'100MiB'`. */
export type Size = string | number

/** Options of the chain of a sink's lines, by which a change of any line is found. */
export interface SealOptions {
  /** Makes each hash an HMAC under it, which nobody without it can compute: at least 32 bytes. */
  secret?: string | Uint8Array | undefined
  /**
   * The name of the secret in the trail, so that the secret can be changed: letters, digits, `.`, `_` and `-`, at most
   * 32.
   * @default '1'
   */
  keyId?: string | undefined
  /** An Ed25519 key, or its PEM: has checkpoints signed, which anyone with the public key can verify. */
  privateKey?: KeyObject | string | undefined
  /**
   * The number of entries after which a checkpoint is made.
   * @default 1000
   */
  checkpointEvery?: number | undefined
  /**
   * The longest time that an entry waits for a checkpoint; 0: until there are `checkpointEvery`.
   * @default '1m'
   */
  checkpointInterval?: Duration | undefined
  /** Is given each checkpoint that is stored, to keep it elsewhere. */
  onCheckpoint?: CheckpointFunction | undefined
}

interface CommonSinkOptions {
  /** The sink's name in errors, statistics and log lines: letters, digits, `.`, `_` and `-`, at most 64. */
  name: string
  /**
   * Whether a request that this sink cannot record is refused (`'enforced'`) or goes on (`'best-effort'`).
   * @default 'enforced'
   */
  deliveryGuarantee?: DeliveryGuarantee | undefined
  /**
   * The shape of a line: `'json'`, `'rancher'`, or a function that makes a line of an event.
   * @default 'json'
   */
  format?: 'json' | 'rancher' | FormatFunction | undefined
  /**
   * The longest time that a batch may take before its entries are in doubt.
   * @default '10s'
   */
  timeout?: Duration | undefined
  /**
   * The most entries that may wait. Under `'enforced'`, half is reserved for the outcomes of handlers that ran.
   * @default 10_000
   */
  maxQueue?: number | undefined
  /**
   * The most bytes that may wait, likewise.
   * @default '64MiB'
   */
  maxQueueBytes?: Size | undefined
  /**
   * Events that this sink does not record, beside those of the plugin's filters.
   * @default []
   */
  filters?: readonly FilterOptions[] | undefined
  /**
   * The requests and actions that this sink records: those that one of the selectors matches, unless filters exclude
   * them. Absent: all.
   */
  only?: readonly SelectorOptions[] | undefined
  /**
   * Gives each line the hash of the line before it and its own.
   * @default false
   */
  seal?: boolean | SealOptions | undefined
}

/** A sink that appends to a file. */
export interface FileSinkOptions extends CommonSinkOptions {
  type: 'file'
  /**
   * The file; `{slot}` and `{hostname}` are replaced. The only file sink may leave it out and gets
   * `<dataDir>/audit/audit.log`.
   */
  path?: string | undefined
  /**
   * The file's permissions.
   * @default 0o600
   */
  mode?: number | undefined
  /**
   * The permissions of directories that are made.
   * @default 0o700
   */
  dirMode?: number | undefined
  /**
   * Rotates a file that has this size; 0: at no size.
   * @default 0
   */
  rotateBytes?: Size | undefined
  /**
   * Rotates a file of this age; 0: at no age.
   * @default '24h'
   */
  rotateDuration?: Duration | undefined
  /**
   * The most rotated files that are kept; 0: all.
   * @default 0
   */
  rotateMaxFiles?: number | undefined
  /**
   * The longest time that a rotated file is kept; 0: for ever.
   * @default 0
   */
  rotateMaxAge?: Duration | undefined
  /**
   * No rotated file younger than this is deleted.
   * @default 0
   */
  rotateMinAge?: Duration | undefined
  /**
   * True: an entry counts as stored only when it is on the disk, not when the operating system has it.
   * @default false
   */
  fsync?: boolean | undefined
  /**
   * The longest time to wait for another process that has the file.
   * @default '5s'
   */
  lockTimeout?: Duration | undefined
}

/** A sink that writes to the process's standard output. */
export interface StdoutSinkOptions extends CommonSinkOptions {
  type: 'stdout'
}

/** A sink that is given as an instance: `memorySink()`, `streamSink(…)`, or your own. */
export interface CustomSinkOptions extends CommonSinkOptions {
  type?: undefined
  /** The sink that stores the lines. */
  sink: AuditSink
}

/** A sink, and its delivery guarantee. */
export type SinkOptions = FileSinkOptions | StdoutSinkOptions | CustomSinkOptions

/** Limits of bodies, headers and annotations, and the headers that are recorded if the level records headers. */
export interface CaptureOptions {
  /**
   * The most bytes of a body in a line, after redaction and escaping.
   * @default '64KiB'
   */
  maxBodyBytes?: Size | undefined
  /**
   * The request's headers that are recorded from the level `request` on.
   * @default []
   */
  requestHeaders?: readonly string[] | undefined
  /**
   * The reply's headers that are recorded at the level `response`.
   * @default []
   */
  responseHeaders?: readonly string[] | undefined
  /**
   * The most keys that `request.audit.annotate` may add to a request.
   * @default 16
   */
  maxAnnotations?: number | undefined
  /**
   * The most bytes of these keys and their values in a line; each key has a share of it.
   * @default '4KiB'
   */
  maxAnnotationBytes?: Size | undefined
  /**
   * The most changes of an action in one record.
   * @default 64
   */
  maxChanges?: number | undefined
  /**
   * The most bytes of these changes in a line; each has a share of it.
   * @default '8KiB'
   */
  maxChangesBytes?: Size | undefined
}

/** Redaction in addition to what is built in. */
export interface RedactOptions {
  /**
   * Further names of keys whose values are secret, without regard to case, `-` and `_`.
   * @default []
   */
  keys?: readonly string[] | undefined
  /**
   * `'mask'` writes `[REDACTED]`; `'hmac'` a keyed hash, so that equal values can be told to be equal.
   * @default 'mask'
   */
  mode?: 'mask' | 'hmac' | undefined
  /** The secret under which values are hashed: at least 32 bytes. */
  secret?: string | Uint8Array | undefined
  /**
   * The name of the secret in the hash, so that the secret can be changed: letters, digits, `.`, `_` and `-`, at most
   * 32.
   * @default '1'
   */
  keyId?: string | undefined
  /**
   * Parts that are left out of every event, such as `'auth.name'` or `'request.request_meta.remote_address'`.
   * @default []
   */
  omit?: readonly OmittablePath[] | undefined
}
