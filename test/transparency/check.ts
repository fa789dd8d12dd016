import { afterAll, beforeAll, expect } from 'vitest'
import type { Transport } from './clients.js'
import { differences, type Observation, observe } from './observe.js'
import type { Program } from './program.js'
import { AUDITS, type Audit, nameOf, Servers, type Waiting } from './servers.js'
import { watchProcess } from './watch.js'

/** Where the audit waits, and where any hook of its kind may. */
export const WAITING: readonly Waiting[] = [
  ['onRequest'],
  ['preValidation'],
  ['onRequest', 'preValidation', 'preHandler'],
  ['onRequest', 'preValidation', 'preHandler', 'onSend'],
]

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
  const plain = await observe(program, 'plain', transport, servers)
  const waiting: Observation[] = []
  for (const audit of audits) {
    const seen = await observe(program, audit, transport, servers)
    const name = `${transport}, ${nameOf(audit)}`
    expect(seen.trail, name).toEqual([])
    let parts = differences(seen, plain)
    for (let index = 0; parts.length > 0 && index < WAITING.length; index++) {
      waiting[index] ??= await observe(program, WAITING[index] ?? [], transport, servers)
      parts = remaining(parts, seen, waiting[index])
    }
    // The message of the first one that fails shows the plain server as what was expected.
    expect(only(seen, parts), name).toEqual(only(plain, parts))
  }
}

/** What waiting does not explain; it never explains an exception that ends the process. */
export function remaining(parts: readonly string[], seen: Observation, waiting: Observation | undefined): string[] {
  if (waiting === undefined) return [...parts]
  const others = differences(seen, waiting)
  return parts.filter((part) => part === 'process' || others.includes(part))
}

function only({ parts }: Observation, names: readonly string[]): Array<[string, unknown]> {
  return names.map((name) => [name, parts[name]])
}
