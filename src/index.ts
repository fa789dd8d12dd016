export type { SinkStats } from './delivery.js'
export { AuditSinkUnavailable, BatchError } from './errors.js'
export type {
  AuditEvent,
  EventAuth,
  EventPayload,
  EventRequest,
  EventResponse,
  JsonValue,
  LifecycleDetails,
  LifecycleEvent,
  LifecycleType,
  Stage,
} from './event.js'
export type { ExchangeCounts } from './exchange.js'
export type { FilterOptions } from './filter.js'
export { auditFrameworkErrors, type FrameworkErrorsHandler } from './framework-errors.js'
export type { WhoCounts } from './identity.js'
export {
  type AuditOptions,
  type CustomSinkOptions,
  type DeliveryGuarantee,
  type Duration,
  type FileSinkOptions,
  type FormatFunction,
  type Identity,
  type IdentityFunction,
  type NamespaceFunction,
  optionsJsonSchema,
  type SinkOptions,
  type Size,
  type StdoutSinkOptions,
} from './options.js'
export { type AppAudit, audit, audit as default } from './plugin.js'
export type { RequestAudit } from './request-audit.js'
export { type MemorySink, memorySink } from './sinks/memory.js'
export type { AuditEntry, AuditSink, SinkContext, SinkLogger } from './sinks/sink.js'
export { type StreamSinkOptions, streamSink } from './sinks/stream.js'
export type { AuditStats } from './trail.js'
