import type { FastifyRequest } from 'fastify'
import { describe, expect, it } from 'vitest'
import { audited } from '../support/app.js'

const SECRET = 'hunter2xyzzy'

/** Repeats a secret wherever an action may have it. */
async function recordAll({ audit }: FastifyRequest, secret: string): Promise<void> {
  const note = `of ${secret}`
  const told = { targets: { type: 'reset', id: secret, name: note }, annotations: { note } }
  await audit.record({ action: note, outcome: 'denied', reason: note, changes: { before: note, after: {} }, ...told })
  const work = audit.run({ action: note, ...told }, async (inner) => {
    inner.changes({ note }, {})
    inner.outcome('failure', note)
    await inner.record({ action: 'inner', reason: note })
    throw new Error(note)
  })
  await expect(work).rejects.toThrow(note)
}

describe('a secret in the URL of a request', () => {
  it.each([
    ['is recorded', {}],
    ['is not recorded', { audit: false as const }],
  ])('is in no action beside a request that %s', async (_, config) => {
    const { app, sink } = await audited()
    app.get<{ Params: { token: string } }>('/reset/:token', { config }, async (request) => {
      await recordAll(request, request.params.token)
    })
    const reply = await app.inject(`/reset/${SECRET}`)
    expect(reply.statusCode).toBe(200)
    await app.close()
    expect(sink.actions).toHaveLength(4)
    expect(sink.lines.join('\n')).not.toContain(SECRET)
  })
})
