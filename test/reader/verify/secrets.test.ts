import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type NamedSecret, type VerifyOptions, verifyTrail } from '../../../src/index.js'
import { prevOf, reseal } from '../../delivery/seal/forging.js'
import { writeFiles, writeTrail } from '../../delivery/seal/sealed-trail.js'
import { temporaryDirectory } from '../../sinks/file/world.js'

const OLD: NamedSecret = { keyId: 'old', secret: 'the old secret of at least thirty-two bytes' }
const NEW: NamedSecret = { keyId: 'new', secret: 'the new secret of at least thirty-two bytes' }
const BOTH = [OLD, NEW]

/** A trail of one run for each secret, each with two requests: its lines, and where the runs begin. */
async function trailOf(...secrets: readonly NamedSecret[]) {
  const directory = temporaryDirectory()
  const begins: number[] = []
  let lines: string[] = []
  for (const { keyId, secret } of secrets) {
    begins.push(lines.length)
    lines = (await writeTrail(directory, [2], { keyId, secret })).files[0]?.lines ?? []
  }
  return { directory, lines, begins, path: join(directory, 'audit.log') }
}

async function verify(lines: readonly string[], options: VerifyOptions) {
  const path = writeFiles(temporaryDirectory(), [{ name: 'audit.log', lines: [...lines] }])
  const { problems } = await verifyTrail([path], options)
  return problems.map(({ kind, line, to }) => `${kind} ${line}-${to}`)
}

/** All lines from `from` on, with a time forged by somebody who has the old secret. */
function forged(lines: readonly string[], from: number, to = lines.length): string[] {
  const edited = lines
    .slice(from, to)
    .map((line) => line.replace('/jobs/', '/x/').replace('"key_id":"new"', '"key_id":"old"'))
  return [...lines.slice(0, from), ...reseal(edited, prevOf(lines[from]), String(OLD.secret))]
}

describe('of several secrets, in the order of their use', () => {
  it('each seals its part of the trail', async () => {
    const { lines } = await trailOf(OLD, NEW)
    expect(await verify(lines, { secret: BOTH })).toEqual([])
  })

  it('the old one does not verify lines that it rewrites after the change', async () => {
    const { lines, begins } = await trailOf(OLD, NEW)
    const all = forged(lines, begins[1] ?? 0)
    expect(await verify(all, { secret: BOTH })).toEqual([`key ${lines.length}-${lines.length}`])
    expect(await verify(all, { secret: OLD.secret })).toEqual([])
  })

  it('the old one does not verify lines that it writes after lines of the new one', async () => {
    const { lines, begins } = await trailOf(OLD, NEW, NEW)
    const [, , last = 0] = begins
    const rest = forged(lines, last)
    expect(await verify(rest, { secret: BOTH })).toEqual([`key ${last + 1}-${lines.length}`])
  })

  it('the old one does not verify lines that it writes among lines of the new one, even if the server went on after them', async () => {
    const { lines, begins } = await trailOf(OLD, NEW, NEW)
    const [, , last = 0] = begins
    const middle = forged(lines, last - 2, last)
    const after = reseal(lines.slice(last), JSON.parse(middle.at(-1) ?? '').hash, String(NEW.secret))
    expect(await verify([...middle, ...after], { secret: BOTH })).toEqual([`key ${last - 1}-${last}`])
  })

  it('a wrong order is reported', async () => {
    const { lines, begins } = await trailOf(OLD, NEW)
    const problems = await verify(lines, { secret: [NEW, OLD] })
    expect(problems).toEqual([`key ${(begins[1] ?? 0) + 1}-${lines.length}`])
  })

  it('one that returns needs a `keyId` of its own, in the option `seal` and in the list', async () => {
    const again = { keyId: 'again', secret: OLD.secret }
    const returned = await trailOf(OLD, NEW, again)
    expect(await verify(returned.lines, { secret: [...BOTH, again] })).toEqual([])
    const [, , last = 0] = returned.begins
    expect(await verify(returned.lines, { secret: BOTH })).toEqual([`key ${last + 1}-${returned.lines.length}`])
    const { lines } = await trailOf(OLD, NEW, OLD)
    await expect(verify(lines, { secret: [...BOTH, OLD] })).rejects.toThrow('a `keyId` of its own')
    expect(await verify(lines, { secret: [...BOTH, again] })).toEqual([`key ${last + 1}-${last + 2}`])
  })

  it('a list of none, or of something else, is refused', async () => {
    const { path } = await trailOf(OLD)
    await expect(verifyTrail([path], { secret: [] })).rejects.toThrow('the oldest first')
    const mistaken: object = { secret: { old: OLD.secret } }
    await expect(verifyTrail([path], mistaken)).rejects.toThrow('the oldest first')
  })

  it('no verifier can tell without a checkpoint what the old one wrote before the new one was first used', async () => {
    const { lines, begins } = await trailOf(OLD, NEW)
    const [, change = 0] = begins
    // Cut off after the change and rewritten before it; then a server with the new secret was started.
    const before = forged(lines, 1, change)
    const after = reseal(lines.slice(change), JSON.parse(before.at(-1) ?? '').hash, String(NEW.secret))
    expect(await verify([...before, ...after], { secret: BOTH })).toEqual([])
    const expected = JSON.parse(lines.at(-1) ?? '').hash
    expect(await verify([...before, ...after], { secret: BOTH, expect: expected })).toEqual([
      `cut-off ${lines.length}-${lines.length}`,
    ])
  })
})
