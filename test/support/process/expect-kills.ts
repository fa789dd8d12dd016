import { expect } from 'vitest'
import { temporaryDirectory } from '../../sinks/file/world.js'
import { randomFrom } from '../random.js'
import type { Answer } from './flood.js'
import { killServers, type SinkSettings } from './kills.js'
import { ServerProcess } from './server-process.js'
import { WrittenTrail } from './trail.js'

/** What a kill while a lock is taken leaves beside it, and nothing reads. */
const LOCK_LITTER = /\.lock\.(claim-)?[0-9a-f-]{36}$/

/**
 * Kills servers on one path, then closes one as it should be, and holds the trail to its promises: with `enforced`
 * every reply has its two lines; with `best-effort` what is missing is the end of each server's trail, and no more. Resolves with how many entries of
 * received replies that is.
 */
export async function expectKillsSurvived(
  program: string,
  count: number,
  seed: number,
  settings: Partial<SinkSettings>,
): Promise<number> {
  const sink = { ...settings, path: `${temporaryDirectory()}/audit.log` }
  const random = randomFrom(seed)
  const answers = await killServers(program, count, sink, random)
  await closeOne(program, sink)

  const trail = new WrittenTrail(sink.path)
  const place = `seed ${seed}`
  expect(trail.flaws(), place).toEqual([])
  expect(trail.files, place).toBeGreaterThan(1)
  expect(
    trail.others.filter((name) => !LOCK_LITTER.test(name)),
    place,
  ).toEqual([])
  expect([...new Set(answers.map(({ status }) => status))], place).toEqual([200])
  expect(stopped(trail), place).toEqual([trail.lives.size - 1])
  if (settings.deliveryGuarantee !== 'best-effort') {
    expect(trail.unrecorded(answers), place).toEqual([])
    expect(
      [...trail.lives.values()].filter(({ missing }) => missing > 0),
      place,
    ).toEqual([])
  }
  return expectOnlyEndsLost(trail, answers, place)
}

/** The places, among all that have written to the trail, of those that were closed. */
function stopped(trail: WrittenTrail): number[] {
  return [...trail.lives.values()].flatMap(({ own }, index) => (own.includes('stop') ? [index] : []))
}

/** On each connection, what has its lines comes before what has not: the trail lacks its end and nothing before it. */
function expectOnlyEndsLost(trail: WrittenTrail, answers: readonly Answer[], place: string): number {
  const least = new Map<number, number>()
  const wrong: Answer[] = []
  let lost = 0
  for (const answer of answers) {
    const lines = trail.traces.get(answer.auditId)?.stages.length ?? 0
    if (lines > (least.get(answer.connection) ?? 2)) wrong.push(answer)
    least.set(answer.connection, lines)
    lost += 2 - lines
  }
  expect(wrong, place).toEqual([])
  return lost
}

/** A server that starts, which puts right what the last kill has left, and closes. */
async function closeOne(program: string, sink: SinkSettings): Promise<void> {
  const server = new ServerProcess(program, { sink })
  await server.open()
  server.order('close')
  expect(await server.ended).toEqual({ code: 0, signal: null })
}
