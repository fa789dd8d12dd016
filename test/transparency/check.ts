import { afterAll, beforeAll, expect } from 'vitest'
import type { Transport } from './clients.js'
import { differences, type Observation, observe } from './observe.js'
import type { Program } from './program.js'
import { AUDITS, type Audit, nameOf, Servers } from './servers.js'
import { watchProcess } from './watch.js'

const OTHERS = ['plain', 'waiting', 'waiting in onSend'] as const

/** Servers for the tests of a `describe`; afterwards no trail may lack an end. */
export function servers(): { current(): Servers } {
  const made = new Servers()
  let unwatch = (): void => undefined
  beforeAll(() => {
    unwatch = watchProcess()
  })
  afterAll(async () => {
    const mistakes = await made.close()
    unwatch()
    expect(mistakes).toEqual([])
  })
  return { current: () => made }
}

/** Runs a program on servers with and without the audit; throws where only the audit can be the reason for a difference. */
export async function check(
  program: Program,
  transport: Transport,
  servers: Servers,
  audits: readonly Audit[] = AUDITS,
): Promise<void> {
  const others: Observation[] = []
  for (const kind of OTHERS) others.push(await observe(program, kind, transport, servers))
  for (const audit of audits) {
    const seen = await observe(program, audit, transport, servers)
    const name = `${transport}, ${nameOf(audit)}`
    expect(seen.trail, name).toEqual([])
    const parts = differences(seen, others)
    // The message of the first one that fails shows the plain server as what was expected.
    expect(only(seen, parts), name).toEqual(only(others[0], parts))
  }
}

function only(seen: Observation | undefined, parts: ReadonlyArray<keyof Observation>): Array<[string, unknown]> {
  return parts.map((part) => [part, seen?.[part]])
}
