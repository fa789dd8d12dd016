import type { Dispatcher } from '../delivery/dispatcher.js'
import type { EventContext } from '../event/event-builder.js'
import type { SinkLogger } from '../logger.js'
import type { RecordingPolicy } from '../policy/recording-policy.js'
import type { Actions } from '../runtime/actions.js'
import type { Connections } from '../runtime/connections.js'
import type { ExchangeCounter } from '../runtime/counts.js'
import type { OpenExchanges } from '../runtime/open-exchanges.js'
import type { RunningReplies } from '../runtime/running-replies.js'
import type { AuditRuntime } from '../runtime/runtime.js'
import { UnsentReplies } from './running/unsent-replies.js'
import { SecretFields } from './secret-fields.js'

/** Holds everything that the exchanges of one server share. */
export interface ExchangeContext extends EventContext {
  readonly policy: RecordingPolicy
  readonly actions: Actions
  readonly dispatcher: Dispatcher
  readonly open: OpenExchanges
  readonly running: RunningReplies
  readonly unsent: UnsentReplies
  readonly connections: Connections
  readonly counts: ExchangeCounter
  readonly log: SinkLogger
  readonly auditIdHeader: string | false
}

/** Takes from a runtime only the parts that exchanges need. */
export function exchangeContext(runtime: AuditRuntime): ExchangeContext {
  const { envelope, requests, who, redactor, capture, policy, dispatcher } = runtime
  const { open, running, connections, counts, log, auditIdHeader, misuse, vocabulary, actions } = runtime
  const fields = new SecretFields(log)
  return {
    envelope,
    requests,
    who,
    redactor,
    capture,
    misuse,
    vocabulary,
    actions,
    policy,
    dispatcher,
    open,
    running,
    unsent: new UnsentReplies(),
    connections,
    counts,
    log,
    auditIdHeader,
    marksOf: (request) => fields.of(request),
  }
}
