import type { Auditor } from '../delivery/dispatcher.js'
import type { RecordsContext } from '../event/event-builder.js'
import type { SinkLogger } from '../logger.js'
import type { ExchangeCounts } from '../runtime/counts.js'
import type { OpenExchanges } from '../runtime/open-exchanges.js'

/** What every exchange of one server has in common. */
export interface ExchangeContext extends RecordsContext {
  readonly auditor: Auditor
  readonly open: OpenExchanges
  readonly counts: ExchangeCounts
  readonly log: SinkLogger
  readonly auditIdHeader: string | false
}
