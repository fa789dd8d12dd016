import fc from 'fast-check'
import { describe, it } from 'vitest'
import { programFor } from './arbitrary.js'
import { check, servers } from './check.js'
import { TRANSPORTS } from './clients.js'
import { SEED } from './seed.js'
import { AUDITS } from './servers.js'

/** Per way in which a request comes; the long tests run many more. */
const PROGRAMS = 75

describe.each(TRANSPORTS)('a program cannot tell whether it is audited, by %s', (transport) => {
  const { current } = servers()

  it('whatever it calls, whoever calls it, wherever it fails', async () => {
    const runs = fc.asyncProperty(programFor(transport), fc.constantFrom(...AUDITS), async (made, audit) => {
      await check(made, transport, current(), [audit])
    })
    await fc.assert(runs, { numRuns: PROGRAMS, seed: SEED })
  })
})
