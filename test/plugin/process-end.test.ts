import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { Guarantee } from '../exchange/oracle.js'
import { temporaryDirectory } from '../sinks/file/world.js'
import { root } from '../support/markdown.js'
import { compiled } from '../support/process/compiled.js'
import { expectSurvived } from '../support/process/expect-kills.js'
import { type Answer, flood } from '../support/process/flood.js'
import type { SinkSettings } from '../support/process/kills.js'
import { type Ending, ServerProcess } from '../support/process/server-process.js'
import { WrittenTrail } from '../support/process/trail.js'

// Tests docs/guarantees.md, "When the process ends", with real processes under load.

/** Replies that are received before anything is done to the server. */
const ENOUGH = 500

const program = await compiled()

interface Ended {
  ending: Ending
  answers: Answer[]
  sink: SinkSettings
}

/** Floods a server, has something done to it while it serves, and waits for its end. */
async function endUnderLoad(
  deliveryGuarantee: Guarantee,
  end: (server: ServerProcess) => void,
  limit = Number.POSITIVE_INFINITY,
): Promise<Ended> {
  const sink = { path: join(temporaryDirectory(), 'audit.log'), deliveryGuarantee, rotateBytes: 100_000 }
  const server = new ServerProcess(program, { sink })
  const port = (await server.open()) ?? 0
  const answers: Answer[] = []
  const onAnswer = (answer: Answer): void => {
    answers.push(answer)
    if (answers.length === ENOUGH) end(server)
  }
  await flood(port, { connections: 8, pipeline: 16, limit, onAnswer })
  return { ending: await server.ended, answers, sink }
}

/** Removes a closing server's own answers, which are not in the trail. */
function isAudited({ auditId }: Answer): boolean {
  return auditId !== undefined
}

const ABRUPT: Array<[string, (server: ServerProcess) => void, Ending]> = [
  ['SIGTERM that nobody handles', (server) => server.kill('SIGTERM'), { code: null, signal: 'SIGTERM' }],
  ['process.exit()', (server) => server.order('exit'), { code: 3, signal: null }],
  ['an uncaught exception', (server) => server.order('throw'), { code: 1, signal: null }],
]

describe.each(ABRUPT)('a server that %s ends', (_, end, expected) => {
  it('has recorded every reply, and no stop (enforced)', async () => {
    const { ending, answers, sink } = await endUnderLoad('enforced', end)
    expect(ending).toEqual(expected)
    expect(answers.length).toBeGreaterThanOrEqual(ENOUGH)
    expect((await expectSurvived(program, sink, answers)).lost).toBe(0)
  })

  it('lacks nothing before the end of its trail, and has no stop (best-effort)', async () => {
    const { ending, answers, sink } = await endUnderLoad('best-effort', end)
    expect(ending).toEqual(expected)
    await expectSurvived(program, sink, answers)
  })
})

describe.each(['enforced', 'best-effort'] as const)('a server that ends in order (%s)', (guarantee) => {
  it('has recorded every reply when it is closed under load, and says so last', async () => {
    const { ending, answers, sink } = await endUnderLoad(guarantee, (server) => server.order('close'))
    expect(ending).toEqual({ code: 0, signal: null })
    const trail = new WrittenTrail(sink.path)
    expect(trail.flaws()).toEqual([])
    expect(trail.unrecorded(answers.filter(isAudited))).toEqual([])
    const [life] = trail.lives.values()
    expect(life?.last.payload).toMatchObject({ type: 'stop', stop: { lost: 0, in_doubt: 0, open: 0 } })
    // Every accepted record is in the trail.
    expect([...trail.traces.values()].filter(({ stages }) => stages.length !== 2)).toEqual([])
  })

  it('has recorded every reply when nothing keeps it running any more, but no stop', async () => {
    const { ending, answers, sink } = await endUnderLoad(guarantee, (server) => server.order('leave'), 2000)
    expect(ending).toEqual({ code: 0, signal: null })
    const trail = new WrittenTrail(sink.path)
    expect(answers).toHaveLength(2000)
    expect(trail.flaws()).toEqual([])
    expect(trail.unrecorded(answers)).toEqual([])
    expect([...trail.lives.values()].map(({ own }) => own.includes('stop'))).toEqual([false])
  })
})

describe('examples/graceful-shutdown.ts', () => {
  it('answers what is under way when it is told to stop, and ends with a stop entry', async () => {
    const args = ['--import', 'tsx', join(root, 'examples', 'graceful-shutdown.ts')]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root })
    expect(stdout.trimEnd().split('\n').slice(-3)).toEqual([
      'the client was answered with 201',
      'POST /orders: OperationReceived, OperationComplete 201',
      'the trail ends with: stop, lost 0, in doubt 0, open 0',
    ])
  })
})
