import { AssertionError } from 'node:assert'
import { type AuditedSink, type Comparison, compareAudited } from './audited.js'
import type { ExpectedAudit } from './expectation.js'

/**
 * Matchers for vitest and Jest: `expect(sink).toHaveAudited({ … })` passes if one request, work or event in a memory sink
 * says what is expected, and says on failure what was recorded instead.
 *
 * @throws `FST_AUDIT_INVALID_EXPECTATION` in the test if the expectation has an unknown key or a value that nothing can have.
 *
 * @example
 * ```ts
 * import Fastify from 'fastify'
 * import audit from 'fastify-audit-log'
 * import { auditMatchers, memorySink } from 'fastify-audit-log/testing'
 * import { expect, test } from 'vitest'
 *
 * expect.extend(auditMatchers) // once, such as in a file of `setupFiles`
 *
 * test('who asks for jobs is in the trail', async () => {
 *   const sink = memorySink()
 *   const app = Fastify()
 *   await app.register(audit, { sinks: [{ name: 'test', sink }] })
 *   await app.inject('/jobs')
 *   expect(sink).toHaveAudited({ operation: 'GET', endpoint: '/jobs', actor: 'anonymous', status: 404 })
 *   expect(sink).not.toHaveAudited({ status: '5xx' })
 * })
 * ```
 */
export const auditMatchers = {
  toHaveAudited(sink: unknown, expected: ExpectedAudit): Comparison {
    return compareAudited(sink, expected)
  },
}

/**
 * Fails unless one request, work or event in a memory sink says what is expected: for `node:test` and any other runner.
 *
 * @throws `AssertionError` whose message says what was recorded instead; `FST_AUDIT_INVALID_EXPECTATION` if the
 *   expectation has an unknown key or a value that nothing can have.
 *
 * @example
 * ```ts
 * import { test } from 'node:test'
 * import Fastify from 'fastify'
 * import audit from 'fastify-audit-log'
 * import { assertAudited, memorySink } from 'fastify-audit-log/testing'
 *
 * test('who asks for jobs is in the trail', async () => {
 *   const sink = memorySink()
 *   const app = Fastify()
 *   await app.register(audit, { sinks: [{ name: 'test', sink }] })
 *   await app.inject('/jobs')
 *   assertAudited(sink, { operation: 'GET', endpoint: '/jobs', actor: 'anonymous', status: 404 })
 * })
 * ```
 */
export function assertAudited(sink: AuditedSink, expected: ExpectedAudit): void {
  const { pass, message } = compareAudited(sink, expected)
  if (!pass) throw new AssertionError({ message: message(), operator: 'assertAudited', stackStartFn: assertAudited })
}

/**
 * Fails if a request, work or event in a memory sink says this: the opposite of `assertAudited`.
 *
 * @throws `AssertionError` whose message says which record does; `FST_AUDIT_INVALID_EXPECTATION`.
 */
export function assertNotAudited(sink: AuditedSink, unexpected: ExpectedAudit): void {
  const { pass, message } = compareAudited(sink, unexpected)
  if (pass)
    throw new AssertionError({ message: message(), operator: 'assertNotAudited', stackStartFn: assertNotAudited })
}

declare global {
  // vitest and Jest both read custom matchers from here: neither has to be installed.
  namespace jest {
    interface Matchers<R, T> {
      /** Passes if one request, work or event in a memory sink says what is expected. */
      toHaveAudited(expected: Awaited<T> extends AuditedSink ? ExpectedAudit : never): R
    }
  }
}
