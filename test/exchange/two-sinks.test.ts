import Fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import audit, { type DeliveryGuarantee, type FilterOptions } from '../../src/index.js'
import { type Behaviour, NEVER, SOON, StagedSink, until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'
import { ask } from '../support/wire.js'
import { expectReplaced, listen } from './runner.js'

const WITHHELD = 'correction 500 (FST_AUDIT_RESPONSE_WITHHELD)'
const REFUSED = 'Complete 503 (FST_AUDIT_NOT_RECORDED)'

interface Row {
  name: string
  /** Behaviour and guarantee of the first sink; the second one always stores. */
  received?: Behaviour
  complete?: Behaviour
  first?: DeliveryGuarantee
  second?: DeliveryGuarantee
  secondFilters?: FilterOptions[]
  reply: 'own' | 'refused' | 'withheld'
  firstTrail: string[]
  secondTrail: string[]
  /** Trail of the second sink while the first one still hangs. */
  meanwhile?: string[]
}

const rows: Row[] = [
  {
    name: 'one fails at Received: the other holds the refusal',
    received: 'fails',
    reply: 'refused',
    firstTrail: [REFUSED],
    secondTrail: ['Received', REFUSED],
  },
  {
    name: 'one fails at Complete: the other holds a correction',
    complete: 'fails',
    reply: 'withheld',
    firstTrail: ['Received', WITHHELD],
    secondTrail: ['Received', 'Complete 200', WITHHELD],
  },
  {
    name: 'one hangs at Received: the other does not wait for it',
    received: 'hangs',
    reply: 'refused',
    meanwhile: ['Received', REFUSED],
    firstTrail: ['Received', REFUSED],
    secondTrail: ['Received', REFUSED],
  },
  {
    name: 'one hangs at Complete: the other is corrected at once',
    complete: 'hangs',
    reply: 'withheld',
    meanwhile: ['Received', 'Complete 200', WITHHELD],
    firstTrail: ['Received', 'Complete 200', WITHHELD],
    secondTrail: ['Received', 'Complete 200', WITHHELD],
  },
  {
    name: 'a best-effort one fails: the request goes on',
    received: 'fails',
    complete: 'fails',
    first: 'best-effort',
    reply: 'own',
    firstTrail: [],
    secondTrail: ['Received', 'Complete 200'],
  },
  {
    name: 'a best-effort one hangs: the request goes on',
    received: 'hangs',
    first: 'best-effort',
    reply: 'own',
    firstTrail: ['Received', 'Complete 200'],
    secondTrail: ['Received', 'Complete 200'],
  },
  {
    name: 'the enforced one fails: the best-effort one holds the correction',
    complete: 'fails',
    second: 'best-effort',
    reply: 'withheld',
    firstTrail: ['Received', WITHHELD],
    secondTrail: ['Received', 'Complete 200', WITHHELD],
  },
  {
    name: 'one fails at Complete, and the other has a filter against it: nothing there needs a correction',
    complete: 'fails',
    secondFilters: [{ endpoints: ['*'], stages: ['OperationComplete'], operations: ['*'] }],
    reply: 'withheld',
    firstTrail: ['Received', WITHHELD],
    secondTrail: ['Received'],
  },
]

describe('two sinks', () => {
  expectNothingUncaught()

  it.each(rows)('$name', async (row) => {
    const one = new StagedSink()
    const other = new StagedSink()
    one.received = row.received ?? 'stores'
    one.complete = row.complete ?? 'stores'
    const app = Fastify()
    onTestFinished(() => app.close())
    await app.register(audit, {
      sinks: [
        { name: 'one', sink: one, deliveryGuarantee: row.first ?? 'enforced', timeout: row.meanwhile ? SOON : NEVER },
        { name: 'other', sink: other, deliveryGuarantee: row.second ?? 'enforced', filters: row.secondFilters ?? [] },
      ],
    })
    let runs = 0
    app.get('/', async () => {
      runs++
      return 'hello'
    })
    const [reply] = await ask(await listen(app), {})
    if (row.meanwhile !== undefined) {
      const { meanwhile } = row
      await until(() => other.trail().length >= meanwhile.length)
      expect(other.trail()).toEqual(meanwhile)
    }
    if (row.received === 'hangs' || row.complete === 'hangs') one.recover()
    await app.audit.flush()

    if (row.reply === 'own') expect(reply).toMatchObject({ status: 200, body: 'hello' })
    else expectReplaced(reply, row.reply, [...one.ids(), ...other.ids()])
    expect(runs).toBe(row.reply === 'refused' ? 0 : 1)
    expect(one.trail()).toEqual(row.firstTrail)
    expect(other.trail()).toEqual(row.secondTrail)
  })
})
