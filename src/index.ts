export type { SinkStats } from './delivery/delivery.js'
export { AuditSinkUnavailable } from './errors.js'
export type {
  ActionEvent,
  ActionPayload,
  EventAction,
  EventChange,
  EventTarget,
  Outcome,
  Target,
} from './event/action.js'
export type { Identity } from './event/actor.js'
export type { Checkpoint, CheckpointFunction } from './event/checkpoint.js'
export type { ChangesOptions } from './event/content/changes.js'
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
  ReplyEnd,
  Stage,
  TrailEvent,
} from './event/event.js'
export type { IdentityCounts } from './event/identity.js'
export type { LevelName, LevelOption } from './event/level.js'
export type { IdentityFunction, NamespaceFunction, TraceFunction } from './event/request-functions.js'
export { isSealedLine } from './event/seal-line.js'
export {
  type ActionDefinition,
  type ActionDefinitions,
  type ActionName,
  type AuditVocabulary,
  defineActions,
} from './event/vocabulary/define-actions.js'
export type { RequestAudit } from './exchange/request-audit.js'
export type { SinkLogger } from './logger.js'
export { optionsFromNomadStanza } from './options/migrate/nomad.js'
export { optionsFromRancherEnv } from './options/migrate/rancher.js'
export {
  type AuditOptions,
  type CaptureOptions,
  type CustomSinkOptions,
  type DeliveryGuarantee,
  type Duration,
  type FileSinkOptions,
  type FormatFunction,
  type OptionMistake,
  optionsJsonSchema,
  type RedactOptions,
  type SealOptions,
  type SinkOptions,
  type Size,
  type StdoutSinkOptions,
} from './options/parse.js'
export type { AppAudit } from './plugin/app-audit.js'
export { auditFrameworkErrors, type FrameworkErrorsHandler } from './plugin/framework-errors.js'
export { audit, audit as default } from './plugin/plugin.js'
export type { StatsMessage } from './plugin/stats-channel.js'
export type {
  ActionExplanation,
  ExplainedAction,
  ExplainOptions,
  Explanation,
  FilterExplanation,
  SinkExplanation,
} from './policy/explanation.js'
export type { ActionFilterOptions, FilterOptions, HttpFilterOptions } from './policy/filter-options.js'
export type { RouteAudit, RouteAuditOptions, RouteTarget, TargetsRequest } from './policy/route-level.js'
export type { RuleOptions } from './policy/rules.js'
export type { SelectorOptions } from './policy/selection.js'
export type { TrailQuery } from './reader/query.js'
export { readTrail, type TrailCounts, type TrailReading } from './reader/read-trail.js'
export type { TrailExchange } from './reader/trail-exchange.js'
export type { NamedSecret, Secret } from './reader/verify/keys.js'
export type {
  VerifiedFile,
  VerifiedRange,
  VerifyProblem,
  VerifyProblemKind,
  VerifyResult,
} from './reader/verify/result.js'
export { type VerifyOptions, verifyTrail } from './reader/verify/verify.js'
export { type AuditHashOptions, auditHash } from './redact/hash.js'
export type { OmittablePath } from './redact/redactor.js'
export type { ActionAudit, ActionRecorder } from './runtime/action-audit.js'
export type { ActionInput, ChangedThing, WorkInput } from './runtime/action-input.js'
export type { ExchangeCounts } from './runtime/counts.js'
export type { AuditStats } from './runtime/runtime.js'
export { BatchError } from './sinks/batch-error.js'
export type { MemoryExchange } from './sinks/joined.js'
export { type MemorySink, memorySink } from './sinks/memory.js'
export type { AuditEntry, AuditSink, SinkContext, TailOptions } from './sinks/sink.js'
export { type StreamSinkOptions, streamSink } from './sinks/stream.js'
