import fc from 'fast-check'
import { describe, it } from 'vitest'
import { programFor } from './arbitrary.js'
import { check, servers } from './check.js'
import { TRANSPORTS } from './clients.js'
import { SEED } from './seed.js'
import { AUDITS } from './servers.js'

/** Per way in which a request comes. */
const PROGRAMS = 600

describe.each(TRANSPORTS)('thousands of programs cannot tell whether they are audited, by %s', (transport) => {
  const { current } = servers()

  it('each in every way of auditing', async () => {
    const runs = fc.asyncProperty(programFor(transport), (made) => check(made, transport, current(), AUDITS))
    await fc.assert(runs, { numRuns: PROGRAMS, seed: SEED })
  })
})
