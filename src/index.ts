export type { AppAudit } from './app-audit.js'
export { optionsFromNomadStanza } from './config/nomad.js'
export { optionsFromRancherEnv } from './config/rancher.js'
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
export type { ExchangeCounts } from './exchange-context.js'
export type { ExplainOptions, Explanation, FilterExplanation, SinkExplanation } from './explain.js'
export type { FilterOptions } from './filter.js'
export { auditFrameworkErrors, type FrameworkErrorsHandler } from './framework-errors.js'
export type { WhoCounts } from './identity.js'
export type { Checkpoint, CheckpointFunction } from './integrity/checkpoint.js'
export type { Secret } from './integrity/keys.js'
export {
  type VerifiedFile,
  type VerifiedRange,
  type VerifyOptions,
  type VerifyProblem,
  type VerifyProblemKind,
  type VerifyResult,
  verifyTrail,
} from './integrity/verify.js'
export type { LevelName, LevelOption } from './level.js'
export {
  type AuditOptions,
  type CaptureOptions,
  type CustomSinkOptions,
  type DeliveryGuarantee,
  type Duration,
  type FileSinkOptions,
  type FormatFunction,
  type Identity,
  type IdentityFunction,
  type NamespaceFunction,
  optionsJsonSchema,
  type RedactOptions,
  type RouteAudit,
  type SealOptions,
  type SinkOptions,
  type Size,
  type StdoutSinkOptions,
} from './options.js'
export { audit, audit as default } from './plugin.js'
export type { TrailQuery } from './reading/query.js'
export { readTrail, type TrailCounts, type TrailReading } from './reading/read-trail.js'
export type { TrailExchange } from './reading/record.js'
export { type AuditHashOptions, auditHash } from './redact/hash.js'
export type { OmittablePath } from './redact.js'
export type { RequestAudit } from './request-audit.js'
export type { RuleOptions } from './rules.js'
export { type MemorySink, memorySink } from './sinks/memory.js'
export type { AuditEntry, AuditSink, SinkContext, SinkLogger } from './sinks/sink.js'
export { type StreamSinkOptions, streamSink } from './sinks/stream.js'
export type { StatsMessage } from './stats-channel.js'
export type { AuditStats } from './trail.js'
