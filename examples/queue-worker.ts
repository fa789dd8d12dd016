/**
 * A worker that takes jobs from a queue, without a server. Each job is work in the trail, and belongs to the request that
 * ordered it.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { ActionEvent, TrailEvent } from 'fastify-audit-log'
import { createAudit, type Identity } from 'fastify-audit-log/standalone'

/** A message of the queue. The server has put the audit id of its request into it. */
interface Job {
  invoice: number
  amount: number
  orderedBy: Identity
  request: string
}

const directory = mkdtempSync(join(tmpdir(), 'queue-worker-'))

// Each worker, and the server, has a file of its own in one directory, which is read as one trail.
const path = join(directory, 'audit-{slot}.log')
const audit = await createAudit({ sinks: [{ name: 'audit', type: 'file', path }], redact: { keys: ['iban'] } })

async function refund({ invoice, amount, orderedBy, request }: Job): Promise<void> {
  const work = {
    action: 'invoice.refund',
    actor: orderedBy,
    targets: [{ type: 'invoice', id: invoice }],
    parent: request,
  }
  // The bank is not called before the beginning is stored.
  await audit.run(work, async ({ annotate, record }) => {
    if (amount > 1000) throw new Error('the bank refuses')
    annotate({ amount, iban: 'DE02120300000000202051' })
    // It has the actor of this work, and this work as its parent.
    await record({ action: 'mail.send', targets: { type: 'mail', id: 'receipt' }, outcome: 'success' })
  })
}

/** In place of your broker's client. */
const queue = new PassThrough({ objectMode: true })

// The jobs that were taken are done, no further one is.
process.once('SIGTERM', () => queue.end())

async function work(): Promise<void> {
  for await (const job of queue) {
    try {
      await refund(job)
      // Acknowledge the message to the broker here.
    } catch (error) {
      // FST_AUDIT_NOT_RECORDED: nothing was done, so the broker may deliver the message again.
      // FST_AUDIT_RESPONSE_WITHHELD: it was done. Everything else is the job's own error, which is in the trail.
      console.error(`job failed: ${error instanceof Error ? error.message : error}`)
    }
  }
  // Waits for open work, stores what waits, and ends the trail with a stop entry.
  await audit.close()
}

const worked = work()

// The worker ends here. The rest is the server that orders, and the process manager.

const request = randomUUID()
const orderedBy = { accessorId: 'ada', name: 'Ada' }
queue.write({ invoice: 42, amount: 12, orderedBy, request } satisfies Job)
queue.write({ invoice: 43, amount: 5000, orderedBy, request } satisfies Job)
process.kill(process.pid, 'SIGTERM')
await once(queue, 'finish')
await worked

const events: TrailEvent[] = readFileSync(join(directory, 'audit-0.log'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line))
const actions = events.filter((event): event is ActionEvent => event.payload.type === 'action')
for (const { payload } of actions) {
  const { action, stage = 'event', targets = [], outcome = '', error = '' } = payload
  console.log([stage, action, ...targets.map(({ type, id }) => `${type}:${id}`), outcome, error].join(' ').trimEnd())
}
assert.deepEqual(
  actions.map(({ payload }) => [payload.action, payload.outcome, payload.auth.accessor_id]),
  [
    ['invoice.refund', undefined, 'ada'],
    ['mail.send', 'success', 'ada'],
    ['invoice.refund', 'success', 'ada'],
    ['invoice.refund', undefined, 'ada'],
    ['invoice.refund', 'failure', 'ada'],
  ],
)
const [refunded, mail] = actions
assert.equal(refunded?.payload.parent, request)
assert.equal(mail?.payload.parent, refunded?.payload.id)
rmSync(directory, { recursive: true })
