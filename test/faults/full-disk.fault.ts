import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { expectCounted, expectRecorded, readTrail } from './books.js'
import { type Served, serve } from './server.js'
import { statuses } from './traffic.js'
import { mountVolume, type VolumeKind } from './volume.js'

const HOW: Array<{ kind: VolumeKind; fsync: boolean; rotateBytes: number }> = [
  { kind: 'tmpfs', fsync: false, rotateBytes: 0 },
  { kind: 'tmpfs', fsync: false, rotateBytes: 20_000 },
  { kind: 'ext4', fsync: false, rotateBytes: 20_000 },
  { kind: 'ext4', fsync: true, rotateBytes: 0 },
]

/** Nothing was served that is not in the trail, and the counters agree with both. */
async function expectTruth({ app, traffic, path, unrecorded }: Served): Promise<void> {
  await app.close()
  const lines = readTrail(path)
  const stats = app.audit.stats()
  expect(unrecorded.slice(0, 5)).toEqual([])
  expectRecorded(traffic.answers, lines)
  expectCounted(lines, stats.sinks.audit)
  const count = (status: number): number => traffic.answers.filter((answer) => answer.status === status).length
  expect({ refused: stats.refused, withheld: stats.withheld }).toEqual({ refused: count(503), withheld: count(500) })
  expect(traffic.answers.filter(({ status, code }) => status !== 200 && !CODES.includes(`${status} ${code}`))).toEqual(
    [],
  )
}

const CODES = ['503 FST_AUDIT_NOT_RECORDED', '500 FST_AUDIT_RESPONSE_WITHHELD']

describe.each(HOW)('a disk that is really full (%o)', ({ kind, fsync, rotateBytes }) => {
  it('refuses while it is, serves nothing unrecorded, tears no line, and serves again without a restart', async (context) => {
    const volume = mountVolume(context, kind)
    const served = await serve(join(volume.directory, 'audit', 'audit.log'), { fsync, rotateBytes })
    const { app, traffic, logged } = served
    expect(statuses(await traffic.burst(60))).toEqual([200])

    for (const round of [1, 2, 3]) {
      // In the middle of a handler: its Complete, and others' Received, meet the full disk.
      served.onWork = () => {
        served.onWork = () => undefined
        volume.fill()
      }
      const during = await traffic.burst(60, { isLong: true })
      expect(statuses(during)).toEqual([500, 503])
      // Short ones may still fit into what is left of a page.
      await traffic.burst(60)
      expect(await traffic.send({ isLong: true })).toMatchObject({ status: 503 })
      expect(app.audit.healthy, `round ${round}`).toBe(false)
      expect((await fetch(traffic.url('/ready'))).status).toBe(503)

      volume.free()
      expect(await traffic.send({ isLong: true })).toMatchObject({ status: 200 })
      expect(app.audit.healthy).toBe(true)
      expect(statuses(await traffic.burst(20))).toEqual([200])
    }

    expect(logged).toContain('audit sink "audit" fails: requests are refused until it works again')
    expect(logged).toContain('audit sink "audit" works again')
    await expectTruth(served)
  })

  it('recovers without traffic', async (context) => {
    const volume = mountVolume(context, kind)
    const served = await serve(join(volume.directory, 'audit.log'), { fsync, rotateBytes })
    volume.fill()
    expect(await served.traffic.send({ isLong: true })).toMatchObject({ status: 503 })
    expect(served.app.audit.healthy).toBe(false)
    volume.free()
    await expect.poll(() => served.app.audit.healthy).toBe(true)
    await expectTruth(served)
  })

  it('is started on: the server refuses, and heals, and nothing that was in the file is lost', async (context) => {
    const volume = mountVolume(context, kind)
    const path = join(volume.directory, 'audit', 'audit.log')
    mkdirSync(dirname(path))
    const before = await serve(path, { fsync, rotateBytes })
    await before.traffic.burst(20)
    await expectTruth(before)
    const old = readTrail(path)
    appendFileSync(path, '{"created_at":"torn')
    volume.fill()

    const served = await serve(path, { fsync, rotateBytes })
    expect(statuses(await served.traffic.burst(30))).toEqual([503])
    expect(served.app.audit.healthy).toBe(false)
    volume.free()
    expect(await served.traffic.send()).toMatchObject({ status: 200 })
    expect(statuses(await served.traffic.burst(20))).toEqual([200])
    await served.app.close()

    const lines = readTrail(path)
    expect(lines.slice(0, old.length)).toEqual(old)
    const own = lines.slice(old.length)
    expectRecorded(served.traffic.answers, own)
    expectCounted(own, served.app.audit.stats().sinks.audit)
    // The one that was offered at the boot did not fit.
    expect(own.filter(({ payload }) => payload.type === 'start')).toHaveLength(1)
    const [torn] = readdirSync(dirname(path)).filter((name) => name.includes('.torn-'))
    expect(readFileSync(join(dirname(path), torn ?? ''), 'utf8')).toBe('{"created_at":"torn')
  })
})

const STUCK = 'the audit file cannot be rotated; it is written to as before'

it('a disk without room for another file: no rotation, but every request is served', async (context) => {
  const volume = mountVolume(context, 'tmpfs')
  const path = join(volume.directory, 'audit.log')
  const served = await serve(path, { rotateBytes: 2000 })
  const fillers = join(volume.directory, 'fillers')
  mkdirSync(fillers)
  expect(() => {
    for (let number = 0; ; number++) writeFileSync(join(fillers, String(number)), '')
  }).toThrow('ENOSPC')
  expect(statuses(await served.traffic.burst(40))).toEqual([200])
  expect(served.logged).toContain(STUCK)
  const archives = (): string[] => readdirSync(volume.directory).filter((name) => name.startsWith('audit-'))
  expect(archives()).toEqual([])
  rmSync(fillers, { recursive: true })
  await expect.poll(() => served.logged).toContain(`no longer: ${STUCK}`)
  expect(archives()).not.toEqual([])
  await expectTruth(served)
})
