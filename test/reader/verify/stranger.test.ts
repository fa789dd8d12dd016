import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import Fastify from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import audit, {
  type AuditSink,
  memorySink,
  type SinkOptions,
  type VerifyProblem,
  verifyTrail,
} from '../../../src/index.js'
import { faultySink } from '../../../src/testing.js'
import { editedBy, someEdits } from '../../delivery/seal/edits.js'
import { KEYS, type WrittenTrail, writeFiles, writeTrail } from '../../delivery/seal/sealed-trail.js'
import { runs } from '../../support/runs.js'
import { problemsOf } from './stranger.js'

const OLD = { keyId: 'old', secret: 'the old secret of at least thirty-two bytes' }
const NEW = { keyId: 'new', secret: 'the new secret of at least thirty-two bytes' }
const publicKey = KEYS.publicKey.export({ type: 'spki', format: 'pem' }).toString()
const privateKey = KEYS.privateKey

let root: string
let written: WrittenTrail

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'stranger-'))
  const place = join(root, 'original')
  await writeTrail(place, [5, 1], { ...OLD, privateKey, checkpointEvery: 4, rotateBytes: 4000 })
  written = await writeTrail(place, [6], { ...NEW, privateKey, checkpointEvery: 4, rotateBytes: 4000 })
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Numbers tell of lines without a seal, too. */
const NUMBERS = /^has a higher number than the line before it in its run/

interface Given {
  secrets: Array<typeof OLD>
  publicKey?: string
  expected?: string | undefined
}

/** Verifies a trail by our code and by the specification, which covers neither files' names nor the numbers of lines. */
async function verdicts(path: string, given: Given): Promise<{ ours: boolean; theirs: boolean }> {
  const { secrets, expected } = given
  const secret = secrets.length === 0 ? undefined : secrets
  const { problems, files } = await verifyTrail([path], { secret, publicKey: given.publicKey, expect: expected })
  const isBesideSeals = ({ kind, message }: VerifyProblem) => kind === 'renamed' || NUMBERS.test(message)
  const ours = problems.every(isBesideSeals)
  return {
    ours,
    theirs: holds(
      files.map((file) => readFileSync(file.path)),
      given,
    ),
  }
}

function holds(files: readonly Buffer[], given: Given): boolean {
  try {
    return problemsOf(files, given).length === 0
  } catch (error) {
    // A line that ends as a sealed one and is not JSON.
    if (!(error instanceof SyntaxError)) throw error
    return false
  }
}

/** The lines that servers write into a sink, one after the other. */
async function served(
  sinks: ReadonlyArray<Partial<SinkOptions>>,
  sink: AuditSink,
  during = async () => {},
): Promise<void> {
  for (const options of sinks) {
    const app = Fastify()
    await app.register(audit, { sinks: [{ name: 'test', ...options, sink }] })
    app.get('/*', async () => [])
    await app.inject('/1')
    await during()
    await Promise.all(['/2', '/3', '/poison', '/4'].map((url) => app.inject(url)))
    await app.inject('/5')
    await app.close()
  }
}

describe('a verifier written from the specification alone', () => {
  const GOOD: Array<[string, ReadonlyArray<Partial<SinkOptions>>, Array<typeof OLD>]> = [
    ['a plain hash', [{ seal: true }, { seal: true }], []],
    ['a secret', [{ seal: OLD }], [OLD]],
    ['secrets in turn', [{ seal: OLD }, { seal: NEW }], [OLD, NEW]],
    ['the format `rancher`', [{ seal: NEW, format: 'rancher' }], [NEW]],
    ['sealing that was switched on', [{}, { seal: NEW }, { seal: NEW }], [NEW]],
  ]

  it.each(GOOD)('agrees on %s', async (_what, sinks, secrets) => {
    for (const canTell of [true, false]) {
      const memory = memorySink()
      await served(sinks, canTell ? memory : { write: (batch) => memory.write(batch) })
      const path = writeFiles(mkdtempSync(join(root, 'good-')), [{ name: 'audit.log', lines: memory.lines }])
      // A sink that cannot tell its last line begins anew after lines without a seal as well.
      expect(await verdicts(path, { secrets })).toEqual({ ours: true, theirs: true })
      for (const removed of [1, 4]) {
        const edited = [{ name: 'audit.log', lines: memory.lines.toSpliced(-removed - 1, 1) }]
        const { ours, theirs } = await verdicts(writeFiles(mkdtempSync(join(root, 'bad-')), edited), { secrets })
        expect([ours, theirs]).toEqual([false, false])
      }
    }
  })

  it('agrees on lines that a sink refused, and on lines that are gone beside them', async () => {
    const memory = memorySink()
    const sink = faultySink(memory)
    sink.poison(({ line }) => line.includes('/poison'))
    await served([{ seal: NEW }], sink)
    expect(memory.lines.some((line) => line.includes('"dropped"'))).toBe(true)
    for (const index of memory.lines.keys()) {
      const lines = index === 0 ? memory.lines : memory.lines.toSpliced(index - 1, 1)
      const path = writeFiles(mkdtempSync(join(root, 'refused-')), [{ name: 'audit.log', lines }])
      const whole = index === 0
      expect(await verdicts(path, { secrets: [NEW] })).toEqual({ ours: whole, theirs: whole })
    }
  })

  it('agrees on a trail with checkpoints and two secrets, and on any edit of it, before and after a start', async () => {
    const expected = written.checkpoints.at(-1)?.hash
    const given = { secrets: [OLD, NEW], publicKey }
    const whole = writeFiles(join(root, 'whole'), written.files)
    expect(await verdicts(whole, { ...given, expected })).toEqual({ ours: true, theirs: true })
    await fc.assert(
      fc.asyncProperty(someEdits, fc.infiniteStream(fc.nat()), fc.boolean(), async (names, numbers, isServed) => {
        const directory = mkdtempSync(join(root, 'edited-'))
        const files = editedBy(names, numbers, written.files)
        fc.pre(files.length > 0)
        const path = writeFiles(directory, files)
        if (isServed) await writeTrail(directory, [1], { ...NEW, privateKey, rotateBytes: 4000 })
        for (const hash of [undefined, expected]) {
          const { ours, theirs } = await verdicts(path, { ...given, expected: hash })
          expect(ours).toBe(theirs)
        }
        rmSync(directory, { recursive: true })
      }),
      { numRuns: runs(40) },
    )
  })
})
