import { expect } from 'vitest'
import { temporaryDirectory } from '../../sinks/file/world.js'
import { randomFrom } from '../random.js'
import type { Answer } from './flood.js'
import { killServers, type SinkSettings } from './kills.js'
import { type Ending, ServerProcess } from './server-process.js'
import { WrittenTrail } from './trail.js'

/** Files that a kill may leave beside a trail: a rotation's empty successor, until the next one; parts of a lock. */
const LITTER = /\.next$|\.lock\.(claim-)?[0-9a-f-]{36}$/

export interface Survived {
  /** Entries of replies that clients have received, and which the trail lacks. */
  lost: number
  files: number
}

/** Kills servers on one path at moments that chance picks, and holds the trail to its promises. */
export async function expectKillsSurvived(
  program: string,
  count: number,
  seed: number,
  settings: Partial<SinkSettings>,
): Promise<Survived> {
  const sink = { ...settings, path: `${temporaryDirectory()}/audit.log` }
  const random = randomFrom(seed)
  const answers = await killServers(program, count, sink, random)
  return expectSurvived(program, sink, answers, `seed ${seed}`)
}

/**
 * Starts a server after others that were killed, which repairs the files that they left, and holds the trail to its
 * promises: with `enforced` every reply has its two lines; with `best-effort` only the end may be missing of each
 * server's trail. Only the last server has stopped.
 */
export async function expectSurvived(
  program: string,
  sink: SinkSettings,
  answers: readonly Answer[],
  place = '',
): Promise<Survived> {
  expect(await closeOne(program, sink), place).toEqual({ code: 0, signal: null })
  const trail = new WrittenTrail(sink.path)
  expect(trail.flaws(), place).toEqual([])
  expect(
    trail.others.filter((name) => !LITTER.test(name)),
    place,
  ).toEqual([])
  expect(
    answers.filter(({ status }) => status !== 200),
    place,
  ).toEqual([])
  expect(stopped(trail), place).toEqual([trail.lives.size - 1])
  if (sink.deliveryGuarantee !== 'best-effort') {
    expect(trail.unrecorded(answers), place).toEqual([])
    expect(
      [...trail.lives.values()].filter(({ missing }) => missing > 0),
      place,
    ).toEqual([])
  }
  return { lost: trail.lostAtEnd(answers), files: trail.files }
}

/** The places, among all that have written to the trail, of those that were closed. */
function stopped(trail: WrittenTrail): number[] {
  return [...trail.lives.values()].flatMap(({ own }, index) => (own.includes('stop') ? [index] : []))
}

/** Starts a server, which repairs the files that the last kill has left, and closes it. */
async function closeOne(program: string, sink: SinkSettings): Promise<Ending> {
  const server = new ServerProcess(program, { sink })
  await server.open()
  server.order('close')
  return server.ended
}
