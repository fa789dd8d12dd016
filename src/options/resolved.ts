import type { SealSettings } from '../delivery/seal/seal.js'
import type { IdentityFunction, NamespaceFunction } from '../event/actor.js'
import type { CaptureSettings } from '../event/content/capture.js'
import type { Level } from '../event/level.js'
import type { FilterOptions } from '../policy/filter.js'
import type { RuleOptions } from '../policy/rules.js'
import type { RedactSettings } from '../redact/redactor.js'
import type { AuditSink } from '../sinks/sink.js'
import type { DeliveryGuarantee, FormatFunction } from './types.js'

/** What the plugin's parts work with: every option decided, durations in ms, sizes in bytes, paths absolute. */
export interface ResolvedOptions {
  enabled: boolean
  dataDir: string
  scope: 'root' | 'plugin'
  sinks: ResolvedSink[]
  filters: FilterOptions[]
  level: Level
  rules: RuleOptions[]
  capture: CaptureSettings
  redact: RedactSettings
  identity?: IdentityFunction | undefined
  namespace?: NamespaceFunction | undefined
  /** In lower case. */
  auditIdHeader: string | false
  closeTimeout: number
  abortTimeout: number
  openTimeout: number
}

export interface ResolvedSinkBase {
  name: string
  deliveryGuarantee: DeliveryGuarantee
  format: 'json' | 'rancher' | FormatFunction
  timeout: number
  maxQueue: number
  maxQueueBytes: number
  filters: FilterOptions[]
  seal: SealSettings | null
}

export interface ResolvedFile {
  /** Absolute; `{slot}` and `{hostname}` still in it. */
  path: string
  mode: number
  dirMode: number
  rotateBytes: number
  rotateDuration: number
  rotateMaxFiles: number
  rotateMaxAge: number
  rotateMinAge: number
  fsync: boolean
  lockTimeout: number
}

export type ResolvedSink = ResolvedSinkBase &
  ({ type: 'file'; file: ResolvedFile } | { type: 'stdout' } | { type: 'custom'; sink: AuditSink })
