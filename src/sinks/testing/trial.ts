import assert from 'node:assert/strict'
import { clearTimeout, setTimeout } from '../../clock.js'
import { isSealedLine } from '../../event/seal-line.js'
import { BatchError } from '../batch-error.js'
import type { AuditEntry, AuditSink, SinkContext } from '../sink.js'
import { makeEntry } from './entries.js'

/** Time limit for a call, in milliseconds: less than test runners give a test, so that a hanging call is named. */
const SETTLE_TIMEOUT = 4000
const RETRY_INTERVAL = 20
/** The most characters of a line that a message quotes. */
const QUOTED = 120

const CONTEXT: SinkContext = {
  name: 'test',
  log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  record: () => undefined,
  doubt: () => undefined,
}

/** A sink's answer for an entry. */
type Fate = 'stored' | 'not stored' | 'in doubt'

/** One sink in one check: keeps the sink's answer for each entry, and compares it with the storage. */
export class Trial {
  private seq = 0
  private readonly given: Array<{ line: string; fate: Fate }> = []
  private isClosed = false

  constructor(
    private readonly sink: AuditSink,
    private readonly read: () => readonly string[] | Promise<readonly string[]>,
  ) {}

  open(): Promise<void> {
    return settled('open', () => this.sink.open?.(CONTEXT))
  }

  idle(): Promise<void> {
    return settled('idle', () => this.sink.idle?.())
  }

  reopen(): Promise<void> {
    return settled('reopen', () => this.sink.reopen?.())
  }

  async close(): Promise<void> {
    if (this.isClosed) return
    this.isClosed = true
    await settled('close', () => this.sink.close?.())
  }

  /** Stores a batch of `count` entries. */
  store(count: number): Promise<void> {
    return this.storeBatch(this.entries(count))
  }

  entries(count: number): AuditEntry[] {
    return Array.from({ length: count }, () => makeEntry(this.nextSeq(), `/v1/jobs/${this.seq}`))
  }

  nextSeq(): number {
    return ++this.seq
  }

  async storeBatch(batch: readonly AuditEntry[]): Promise<void> {
    await settled('write', () => this.sink.write([...batch]))
    this.note(batch, () => 'stored')
  }

  /** Writes a batch that the storage cannot take. */
  async storeInVain(count: number): Promise<void> {
    const batch = this.entries(count)
    const error: unknown = await settled('write', () => this.sink.write([...batch])).then(
      () => assert.fail('`write` resolved although the storage failed'),
      (reason: unknown) => reason,
    )
    if (error instanceof assert.AssertionError) throw error
    const failed = new Set(error instanceof BatchError ? error.failed : batch)
    const inDoubt = new Set(error instanceof BatchError ? error.inDoubt : [])
    assert.ok(failed.size + inDoubt.size > 0, 'a `BatchError` that names no entry says that all of them are stored')
    for (const entry of [...failed, ...inDoubt]) {
      assert.ok(batch.includes(entry), 'a `BatchError` names an entry that is not of its batch')
      assert.ok(!(failed.has(entry) && inDoubt.has(entry)), 'a `BatchError` names an entry as failed and as in doubt')
    }
    this.note(batch, (entry) => (inDoubt.has(entry) ? 'in doubt' : failed.has(entry) ? 'not stored' : 'stored'))
  }

  /** Calls `idle`, as a lane does each second, until it resolves. */
  async recover(): Promise<void> {
    for (let passed = 0; ; passed += RETRY_INTERVAL) {
      try {
        await this.idle()
        return
      } catch (cause) {
        if (cause instanceof assert.AssertionError || passed > SETTLE_TIMEOUT) throw cause
        await new Promise((resolve) => setTimeout(resolve, RETRY_INTERVAL))
      }
    }
  }

  /** Expects each acknowledged line in the storage, whole, once, in order, and no other except those in doubt. */
  async expectTruth(): Promise<void> {
    const lines = await settled('read', this.read)
    let next = 0
    for (const { line, fate } of this.given) {
      const isThere = lines[next] === line
      if (fate === 'stored' && !isThere)
        assert.fail(`stored as line ${next + 1}: ${quote(lines[next])}, not ${quote(line)}`)
      if (fate === 'not stored' && isThere) assert.fail(`said to be not stored, and stored: ${quote(line)}`)
      if (isThere) next++
    }
    assert.equal(lines.length, next, `stored, and never acknowledged: ${quote(lines[next])}`)
  }

  /**
   * Expects `tail` to return the last line, and with `sealed` the last sealed one. The last line is right there, too: a
   * sink need not know which lines are sealed.
   */
  async expectTail(): Promise<void> {
    const { sink } = this
    if (sink.tail === undefined) return
    const lines = await settled('read', this.read)
    const last = lines.at(-1)
    const tail = await settled('tail', () => sink.tail?.())
    if (tail !== last) assert.fail(`\`tail\` says ${quote(tail)}, and stored last is ${quote(last)}`)
    const sealed = await settled('tail', () => sink.tail?.({ sealed: true }))
    const lastSealed = lines.findLast(isSealedLine)
    if (sealed !== lastSealed && sealed !== last) {
      assert.fail(`\`tail\` says ${quote(sealed)} is sealed last, which is ${quote(lastSealed)}`)
    }
  }

  private note(batch: readonly AuditEntry[], fateOf: (entry: AuditEntry) => Fate): void {
    for (const entry of batch) this.given.push({ line: entry.line, fate: fateOf(entry) })
  }
}

function quote(line: string | undefined): string {
  if (line === undefined) return 'nothing'
  const text = JSON.stringify(line.slice(0, QUOTED))
  return line.length > QUOTED ? `${text}… (${line.length} characters)` : text
}

/** Returns the call's result; fails if it takes too long, because a lane would wait for it for ever. */
async function settled<T>(name: string, call: () => T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new assert.AssertionError({ message: `\`${name}\` did not settle within ${SETTLE_TIMEOUT} ms` }))
    }, SETTLE_TIMEOUT)
  })
  try {
    return await Promise.race([call(), late])
  } finally {
    clearTimeout(timer)
  }
}
