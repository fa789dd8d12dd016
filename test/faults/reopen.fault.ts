import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { temporaryDirectory } from '../sinks/file/world.js'
import { expectCounted, expectRecorded, readLines, readTrail } from './books.js'
import { type Served, serve } from './server.js'
import { statuses } from './traffic.js'

/** A server that reopens its file on SIGHUP, as the docs advise; the errors of that. */
async function reopening(): Promise<Served & { failures: unknown[] }> {
  const served = await serve(join(temporaryDirectory(), 'audit.log'), { rotateDuration: 0 })
  const failures: unknown[] = []
  const reopen = (): void => void served.app.audit.reopen().catch((error: unknown) => failures.push(error))
  process.on('SIGHUP', reopen)
  onTestFinished(() => void process.off('SIGHUP', reopen))
  return Object.assign(served, { failures })
}

function hangUp(): void {
  process.kill(process.pid, 'SIGHUP')
}

it('loses and repeats no line when another program renames the file under load, time after time, and says so', async () => {
  const { app, path, traffic, unrecorded, logged, failures } = await reopening()
  const rotated: string[] = []
  await Promise.all([
    traffic.burst(50),
    traffic.during(async () => {
      for (let round = 1; round <= 20; round++) {
        const name = `${path}.${round}`
        renameSync(path, name)
        rotated.push(name)
        hangUp()
        // An impatient one says it twice.
        if (round % 3 === 0) hangUp()
        await expect.poll(() => existsSync(path) && readFileSync(path).length > 0, { interval: 5 }).toBe(true)
      }
    }),
  ])
  await app.close()
  const lines = [...rotated.flatMap(readLines), ...readTrail(path)]
  expect(statuses(traffic.answers)).toEqual([200])
  expectRecorded(traffic.answers, lines)
  expectCounted(lines, app.audit.stats().sinks.audit)
  expect(unrecorded.slice(0, 5)).toEqual([])
  expect(failures).toEqual([])
  expect(logged.filter((message) => /by somebody else|fails/.test(message))).toEqual([])
})

it('says what is in the way, refuses, and serves again as soon as it is gone', async () => {
  const { app, path, traffic, failures } = await reopening()
  await traffic.burst(20)
  renameSync(path, `${path}.1`)
  mkdirSync(path)
  hangUp()
  await expect.poll(() => failures).toHaveLength(1)
  expect(failures[0]).toMatchObject({ message: expect.stringContaining(`${path}: EISDIR`) })
  expect(statuses(await traffic.burst(20))).toEqual([503])
  rmdirSync(path)
  expect(await traffic.send()).toMatchObject({ status: 200 })
  await app.close()
  expectRecorded(traffic.answers, [...readLines(`${path}.1`), ...readTrail(path)])
})
