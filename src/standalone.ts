export type { SinkStats } from './delivery/delivery.js'
export { AuditSinkUnavailable } from './errors.js'
export type { Outcome, Target } from './event/action.js'
export type { Identity } from './event/actor.js'
export {
  type ActionDefinition,
  type ActionDefinitions,
  type ActionName,
  type AuditVocabulary,
  defineActions,
} from './event/vocabulary/define-actions.js'
export type { SinkLogger } from './logger.js'
export type { StandaloneOptions } from './options/standalone-options.js'
export type {
  CaptureOptions,
  CustomSinkOptions,
  Duration,
  FileSinkOptions,
  RedactOptions,
  SealOptions,
  SinkOptions,
  Size,
  StdoutSinkOptions,
} from './options/types.js'
export type { ActionExplanation, ExplainedAction, FilterExplanation, SinkExplanation } from './policy/explanation.js'
export type { ActionFilterOptions, FilterOptions, HttpFilterOptions } from './policy/filter-options.js'
export type { SelectorOptions } from './policy/selection.js'
export type { ActionAudit, ActionRecorder } from './runtime/action-audit.js'
export type { ActionInput, ChangedThing, WorkInput } from './runtime/action-input.js'
export { createAudit } from './runtime/standalone.js'
export type { StandaloneAudit, StandaloneStats } from './runtime/standalone-audit.js'
export { BatchError } from './sinks/batch-error.js'
export { type MemorySink, memorySink } from './sinks/memory.js'
export type { AuditEntry, AuditSink, SinkContext, TailOptions } from './sinks/sink.js'
export { type StreamSinkOptions, streamSink } from './sinks/stream.js'
