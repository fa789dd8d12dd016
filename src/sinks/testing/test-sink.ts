import type { AuditSink } from '../sink.js'
import { CHECKS, OUTAGE_CHECKS } from './checks.js'
import { Trial } from './trial.js'

/** A new sink that is not open yet, with an empty storage of its own. */
export interface SinkUnderTest {
  sink: AuditSink
  /** The lines that are stored now, in their order. Also called when the sink is closed. */
  read: () => readonly string[] | Promise<readonly string[]>
  /** Called last, when the sink is closed. */
  cleanup?: () => void | Promise<void>
}

/** The functions of a test runner, such as vitest or `node:test`, and how to make the sink's storage fail. */
export interface TestFunctions<Made extends SinkUnderTest = SinkUnderTest> {
  describe: (name: string, body: () => void) => unknown
  it: (name: string, body: () => Promise<void>) => unknown
  /** Without it, failures are not tested. */
  outage?: {
    begin: (made: Made) => void | Promise<void>
    end: (made: Made) => void | Promise<void>
  }
}

/**
 * Declares the tests that every sink must pass: the requirements of `AuditSink`. Calls `create` for each test.
 *
 * @example
 * ```ts
 * import { describe, it } from 'node:test'
 * import { memorySink, testSink } from 'fastify-audit-log/testing'
 *
 * const create = () => {
 *   const sink = memorySink()
 *   return { sink, read: () => sink.lines }
 * }
 * testSink('a memory sink', create, {
 *   describe,
 *   it,
 *   outage: { begin: ({ sink }) => sink.fail(), end: ({ sink }) => sink.recover() },
 * })
 * ```
 */
export function testSink<Made extends SinkUnderTest>(
  name: string,
  create: () => Made | Promise<Made>,
  { describe, it, outage }: TestFunctions<Made>,
): void {
  describe(name, () => {
    for (const check of CHECKS) it(check.name, () => run(create, ({ trial }) => check.run(trial)))
    if (outage === undefined) return
    for (const check of OUTAGE_CHECKS) {
      it(check.name, () =>
        run(create, ({ trial, made }) =>
          check.run(trial, { begin: async () => outage.begin(made), end: async () => outage.end(made) }),
        ),
      )
    }
  })
}

async function run<Made extends SinkUnderTest>(
  create: () => Made | Promise<Made>,
  body: (given: { trial: Trial; made: Made }) => Promise<void>,
): Promise<void> {
  const made = await create()
  const trial = new Trial(made.sink, made.read)
  try {
    await body({ trial, made })
    await trial.close()
  } finally {
    // Close after a failed check, too; that failure is the one to report.
    await Promise.allSettled([trial.close()])
    await made.cleanup?.()
  }
}
