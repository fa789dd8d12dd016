import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import Fastify from 'fastify'
import { expect, it } from 'vitest'
import audit, { type AuditEntry, type AuditSink, BatchError, verifyTrail } from '../../../src/index.js'
import { runs } from '../../support/runs.js'
import { KEYS } from './sealed-trail.js'

/** The fate of a batch: some of its entries may be refused, or a first part stored before the sink dies. */
type Outcome = { kind: 'store' | 'fail' | 'late' } | { kind: 'refuse' | 'die'; choose: number }

const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Outcome>({ kind: 'store' }) },
  fc.constantFrom<Outcome>({ kind: 'fail' }, { kind: 'late' }),
  fc.record({ kind: fc.constantFrom('refuse' as const, 'die' as const), choose: fc.nat(0xffff) }),
)

/** A sink that gives each batch the chosen fate. */
class Fickle implements AuditSink {
  readonly lines: string[] = []
  next: Outcome = { kind: 'store' }
  private held: (() => void) | null = null
  declare tail?: () => Promise<string | undefined>

  constructor(canTell: boolean) {
    if (canTell) this.tail = async () => this.lines.at(-1)
  }

  async write(batch: readonly AuditEntry[]): Promise<void> {
    const { next } = this
    if (next.kind === 'fail') throw new Error('not now')
    if (next.kind === 'late') {
      await new Promise<void>((resolve) => {
        this.held = resolve
      })
    }
    if (next.kind === 'die') {
      this.keep(batch.slice(0, next.choose % (batch.length + 1)))
      throw new BatchError({ inDoubt: batch })
    }
    const failed = next.kind === 'refuse' ? batch.filter((_, index) => ((next.choose >> (index % 16)) & 1) === 1) : []
    this.keep(batch.filter((entry) => !failed.includes(entry)))
    if (failed.length > 0) throw new BatchError({ failed })
  }

  release(): void {
    this.next = { kind: 'store' }
    this.held?.()
    this.held = null
  }

  private keep(batch: readonly AuditEntry[]): void {
    this.lines.push(...batch.map(({ line }) => line))
  }
}

it.each([true, false])('the chain verifies whatever becomes of each batch; the sink can tell: %s', async (canTell) => {
  const directory = mkdtempSync(join(tmpdir(), 'sealing-property-'))
  try {
    const steps = fc.array(fc.record({ outcome, requests: fc.integer({ min: 1, max: 4 }) }), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        const sink = new Fickle(canTell)
        const app = Fastify()
        const seal = { privateKey: KEYS.privateKey, checkpointEvery: 3 }
        await app.register(audit, { sinks: [{ name: 'test', sink, seal, timeout: '5ms' }], closeTimeout: '1s' })
        app.get('/', async () => [])
        await app.ready()
        await app.audit.flush()
        for (const step of taken) {
          sink.next = step.outcome
          await Promise.all(Array.from({ length: step.requests }, () => app.inject('/')))
          sink.release()
          await app.audit.flush()
        }
        await app.close()
        const path = join(directory, 'audit.log')
        writeFileSync(path, sink.lines.map((line) => `${line}\n`).join(''))
        const result = await verifyTrail([path], { publicKey: KEYS.publicKey })
        expect(result.problems).toEqual([])
        expect(result.sealed).toBe(sink.lines.length)
        if (canTell) expect(result.chains).toBe(1)
      }),
      { numRuns: runs(15) },
    )
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
