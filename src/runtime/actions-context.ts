import type { Dispatcher } from '../delivery/dispatcher.js'
import type { ActionContext } from '../event/action-builder.js'
import type { SinkLogger } from '../logger.js'
import type { RecordingPolicy } from '../policy/recording-policy.js'
import type { ExchangeCounter } from './counts.js'
import type { OpenExchanges } from './open-exchanges.js'

/** Parts of a runtime that actions need. */
export interface ActionsContext extends ActionContext {
  readonly policy: RecordingPolicy
  readonly dispatcher: Dispatcher
  readonly open: OpenExchanges
  readonly counts: ExchangeCounter
  readonly log: SinkLogger
  /** True while actions are taken: from the trail's start entry until its closing cuts off what is open. */
  readonly isOpened: boolean
}
