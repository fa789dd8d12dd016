import { connect } from 'node:net'
import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'
import audit from '../../src/index.js'
import type { Guarantee } from '../exchange/oracle.js'
import { listen } from '../exchange/runner.js'
import { temporaryDirectory } from '../sinks/file/world.js'
import { type Answer, flood } from '../support/process/flood.js'
import { WrittenTrail } from '../support/process/trail.js'
import { turns } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { requestBytes } from '../support/wire.js'

/** Replies that are received before the server closes. */
const ENOUGH = 300

interface Loaded {
  app: FastifyInstance
  path: string
  /** The audit ids of the requests whose handlers ran. */
  handled: string[]
}

async function loaded(deliveryGuarantee: Guarantee, factory: object): Promise<Loaded> {
  const path = join(temporaryDirectory(), 'audit.log')
  const app = Fastify(factory)
  await app.register(audit, {
    sinks: [{ name: 'audit', type: 'file', path, deliveryGuarantee, rotateBytes: 100_000 }],
  })
  const handled: string[] = []
  app.get<{ Params: { number: string } }>('/tasks/:number', async ({ params, audit: { id } }) => {
    handled.push(id)
    // Some are done at once, some take a while.
    await turns(Number(params.number) % 13)
    return { auditId: id }
  })
  return { app, path, handled }
}

/** Requests by `inject`, one after the other, until the server closes. */
async function injectUntil(isClosing: () => boolean, app: FastifyInstance, answers: Answer[]): Promise<void> {
  for (let number = 0; !isClosing(); number++) {
    const response = await app.inject(`/tasks/${number}`)
    answers.push({ status: response.statusCode, number, connection: 0, auditId: response.json().auditId })
  }
}

/** Clients that leave as soon as they have asked, until the server closes. */
async function leaveUntil(isClosing: () => boolean, port: number): Promise<void> {
  for (let number = 0; !isClosing(); number++) await askAndLeave(port, number)
}

function askAndLeave(port: number, number: number): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('connect', async () => {
    socket.write(requestBytes({ url: `/tasks/${number}` }))
    await turns(number % 5)
    if (number % 2 === 0) socket.resetAndDestroy()
    else socket.destroy()
  })
  // A server that closes refuses or resets it; 'close' follows.
  socket.on('error', () => undefined)
  return new Promise((resolve) => socket.on('close', () => resolve()))
}

describe.each([true, false, 'idle'] as const)(
  'a server that closes under load (forceCloseConnections: %s)',
  (force) => {
    expectNothingUncaught()

    it.each(['enforced', 'best-effort'] as const)(
      'has recorded all that it handled, and says so (%s)',
      async (guarantee) => {
        const { app, path, handled } = await loaded(guarantee, { forceCloseConnections: force })
        const port = await listen(app)
        const answers: Answer[] = []
        let closed: Promise<void> | undefined
        const isClosing = (): boolean => closed !== undefined
        const onAnswer = (answer: Answer): void => {
          answers.push(answer)
          if (answers.length >= ENOUGH) closed ??= app.close()
        }
        await Promise.all([
          flood(port, { connections: 4, pipeline: 8, onAnswer }),
          ...Array.from({ length: 4 }, () => injectUntil(isClosing, app, answers)),
          ...Array.from({ length: 4 }, () => leaveUntil(isClosing, port)),
        ])
        await closed

        const trail = new WrittenTrail(path)
        expect(trail.flaws()).toEqual([])
        // Answers of the closing server itself are not in the trail and have no id.
        expect(trail.unrecorded(answers.filter(({ auditId }) => auditId !== undefined))).toEqual([])
        expect(handled.filter((id) => trail.traces.get(id)?.stages.length !== 2)).toEqual([])
        const [life] = trail.lives.values()
        expect(life?.last.payload).toMatchObject({ type: 'stop', stop: { lost: 0, in_doubt: 0, open: 0 } })
        const { audited, open, sinks } = app.audit.stats()
        expect({ open, exchanges: audited }).toEqual({ open: 0, exchanges: trail.traces.size })
        expect(sinks.audit).toMatchObject({ stored: life?.seqs.length, notStored: 0, inDoubt: 0, queued: 0 })
      },
    )
  },
)
