import type { Dispatcher } from '../delivery/dispatcher.js'
import type { EventContext } from '../event/event-builder.js'
import type { SinkLogger } from '../logger.js'
import type { ExchangeCounts } from '../runtime/counts.js'
import type { OpenExchanges } from '../runtime/open-exchanges.js'

/** What every exchange of one server has in common. */
export interface ExchangeContext extends EventContext {
  readonly dispatcher: Dispatcher
  readonly open: OpenExchanges
  readonly counts: ExchangeCounts
  readonly log: SinkLogger
  readonly auditIdHeader: string | false
}
