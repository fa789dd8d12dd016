import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import Fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import audit, { memorySink, type SinkOptions, verifyTrail } from '../../../src/index.js'
import { faultySink } from '../../../src/testing.js'
import { readTrailFiles, writeFiles } from '../../delivery/seal/sealed-trail.js'
import { temporaryDirectory } from '../../sinks/file/world.js'

/** Runs a server for each number, with that many requests, into one sink without a seal; gives its lines. */
async function serve(runs: readonly number[], format: SinkOptions['format'] = 'json'): Promise<string[]> {
  const sink = memorySink()
  for (const requests of runs) {
    const app = Fastify()
    await app.register(audit, { sinks: [{ name: 'audit', sink, format }] })
    app.get('/jobs/:id', async () => [])
    await app.ready()
    for (let request = 0; request < requests; request++) await app.inject(`/jobs/${request}`)
    await app.close()
  }
  return sink.lines
}

async function verify(lines: readonly string[]) {
  const path = writeFiles(temporaryDirectory(), [{ name: 'audit.log', lines: [...lines] }])
  const { problems, numbers } = await verifyTrail([path])
  const found = problems.filter(({ kind }) => kind !== 'nothing-sealed')
  return {
    found: found.map(({ kind, line }) => `${kind} ${line}`),
    numbers,
    messages: found.map(({ message }) => message),
  }
}

/** The numbers of the last lines of runs: no line follows that could show that they are missing. */
function lastOfRuns(lines: readonly string[]): Set<number> {
  const runs = lines.map((line) => JSON.parse(line).instance)
  return new Set([...runs.keys()].filter((index) => runs[index] !== runs[index + 1]))
}

const REFUSED = { code: 'FST_AUDIT_NOT_RECORDED' }

/** A server that records events and work into a sink that the test makes fail. */
async function actions() {
  const memory = memorySink()
  const sink = faultySink(memory)
  const app = Fastify()
  await app.register(audit, { sinks: [{ name: 'audit', sink }] })
  await app.ready()
  const event = (action: string) => app.audit.record({ action })
  const work = (action: string) => app.audit.run({ action }, async () => 'done')
  return { memory, sink, app, event, work }
}

describe('the numbers of a trail without a seal', () => {
  it('are all there, in each run, when nothing was changed', async () => {
    const { found, numbers } = await verify(await serve([3, 0, 4]))
    expect(found).toEqual([])
    expect(numbers).toEqual({ runs: 3, missing: 0, unaccounted: 0 })
  })

  it('show six deleted lines, and say which numbers they had', async () => {
    const lines = await serve([9])
    const { found, numbers, messages } = await verify(lines.toSpliced(4, 6))
    expect(found).toEqual(['missing 5'])
    expect(messages).toEqual([expect.stringContaining('numbers 5 to 10 are missing')])
    expect(numbers).toEqual({ runs: 1, missing: 6, unaccounted: 6 })
  })

  it('show any lines that are deleted, repeated or moved, but for the last ones of a run', async () => {
    const lines = await serve([4, 2, 5])
    const ends = lastOfRuns(lines)
    const place = fc.nat(lines.length - 1)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('delete', 'repeat', 'move'), place, place, async (change, from, to) => {
        fc.pre(!ends.has(from) && (change === 'repeat' || Math.abs(from - to) > 1) && !ends.has(to))
        const [line = ''] = lines.slice(from, from + 1)
        const edited = change === 'repeat' ? [...lines] : lines.toSpliced(from, 1)
        if (change !== 'delete') edited.splice(to, 0, line)
        // A line of another run may stand anywhere among the lines of this one.
        fc.pre(edited.some((one, index) => one !== lines[index]) && isOtherOrder(edited, lines))
        expect((await verify(edited)).found).not.toEqual([])
      }),
      { numRuns: 60 },
    )
  })

  it('are accounted for by gaps and by refused requests', async () => {
    const memory = memorySink()
    const sink = faultySink(memory)
    const app = Fastify()
    await app.register(audit, { sinks: [{ name: 'audit', sink }] })
    app.get('/*', async () => [])
    await app.inject('/1')
    sink.fail()
    for (let request = 0; request < 3; request++) expect((await app.inject('/2')).statusCode).toBe(503)
    sink.recover()
    await app.inject('/3')
    sink.poison(({ line }) => line.includes('OperationReceived') && line.includes('/poison'))
    expect((await app.inject('/poison')).statusCode).toBe(503)
    await app.inject('/4')
    await app.close()
    const { found, numbers } = await verify(memory.lines)
    expect(found).toEqual([])
    expect(numbers.missing).toBeGreaterThan(3)
    expect(numbers.unaccounted).toBe(0)
    // Without the gap, its numbers are missing without an explanation.
    const silenced = memory.lines.filter((line) => JSON.parse(line).payload.type !== 'gap')
    expect((await verify(silenced)).found).not.toEqual([])
  })

  it('are accounted for by refused work alone', async () => {
    const { memory, sink, app, work } = await actions()
    await work('1')
    sink.poison(({ line }) => line.includes('poison') && !line.includes('OperationComplete'))
    await expect(work('poisoned')).rejects.toMatchObject(REFUSED)
    await work('2')
    await app.close()
    const { found, numbers } = await verify(memory.lines)
    expect(found).toEqual([])
    expect(numbers).toEqual({ runs: 1, missing: 1, unaccounted: 0 })
    const silenced = memory.lines.filter((line) => !line.includes('FST_AUDIT_NOT_RECORDED'))
    expect((await verify(silenced)).found).not.toEqual([])
  })

  it('are accounted for by gaps for events as well', async () => {
    const { memory, sink, app, work, event } = await actions()
    await event('1')
    sink.fail()
    await expect(event('2')).rejects.toMatchObject(REFUSED)
    await expect(work('3')).rejects.toMatchObject(REFUSED)
    sink.recover()
    await work('4')
    sink.poison(({ line }) => line.includes('poison') && !line.includes('OperationComplete'))
    await expect(work('poisoned work')).rejects.toMatchObject(REFUSED)
    await work('5')
    await expect(event('poisoned event')).rejects.toMatchObject(REFUSED)
    await event('6')
    await app.close()
    const { found, numbers } = await verify(memory.lines)
    expect(found).toEqual([])
    expect(numbers.missing).toBeGreaterThan(3)
    expect(numbers.unaccounted).toBe(0)
  })

  it('may begin later when the trail says that older files were deleted, and only then', async () => {
    const directory = temporaryDirectory()
    const path = join(directory, 'audit.log')
    const app = Fastify()
    await app.register(audit, { sinks: [{ name: 'audit', type: 'file', path, rotateBytes: 2000, rotateMaxFiles: 3 }] })
    app.get('/*', async () => [])
    const isRetained = (): boolean =>
      existsSync(path) &&
      readTrailFiles(directory).some(({ lines }) => lines.some((line) => line.includes('"type":"retention"')))
    while (!isRetained()) {
      await app.inject('/')
      await new Promise((resolve) => setImmediate(resolve))
    }
    await app.close()
    const kinds = async () => (await verifyTrail([path])).problems.map(({ kind }) => kind)
    expect(await kinds()).toEqual(['nothing-sealed'])
    const [, second] = readTrailFiles(directory)
    rmSync(join(directory, second?.name ?? ''))
    expect(await kinds()).toContain('missing')
  })

  it('do not exist in the format `rancher`', async () => {
    const { found, numbers } = await verify(await serve([2], 'rancher'))
    expect([found, numbers.runs]).toEqual([[], 0])
  })
})

/** Tells whether the lines of some run, or their order, were changed. */
function isOtherOrder(edited: readonly string[], lines: readonly string[]): boolean {
  const ofRun = (all: readonly string[], run: string) => all.filter((line) => JSON.parse(line).instance === run).join()
  const runs = new Set(lines.map((line): string => JSON.parse(line).instance))
  return [...runs].some((run) => ofRun(edited, run) !== ofRun(lines, run))
}
