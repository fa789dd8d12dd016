import { beforeAll, describe, it } from 'vitest'
import { expectNothingUncaught } from '../support/uncaught.js'
import type { Case } from './case.js'
import { GUARANTEES, outcomeOf, SINK_STATES } from './oracle.js'
import { checkCell, type Seen, type Transport, withoutPlugin } from './runner.js'

/** Tests every case in every state of the sink under both guarantees. */
export function matrix(cases: readonly Case[], transport: Transport, states = SINK_STATES): void {
  expectNothingUncaught()
  describe.each(cases)('$name', (test) => {
    let bare: Seen
    beforeAll(async () => {
      bare = await withoutPlugin(test, transport)
    })
    for (const guarantee of GUARANTEES) {
      it.each(states)(`${guarantee}, and the sink $name`, async (state) => {
        await checkCell(test, state, guarantee, outcomeOf(test, state, guarantee), bare, transport)
      })
    }
  })
}
