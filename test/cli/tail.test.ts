import { appendFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { completeLine, correctionLine, gapLine, idOf, linesOf, temporaryDirectory, trailOf } from '../reader/made.js'
import { StagedSink } from '../support/staged-sink.js'
import { program } from './program.js'
import { server } from './served.js'

const cli = await program()

describe('tail', () => {
  it('shows the last requests, and then each that a server records, across its rotations', async () => {
    const directory = temporaryDirectory()
    const path = join(directory, 'audit.log')
    const app = await server(path, 'json', new StagedSink(), '16KiB')
    const ask = async (): Promise<string> => String((await app.inject('/v1/jobs/web')).headers['x-audit-id'])
    const ids = [await ask(), await ask(), await ask()]
    const tail = cli.start('tail', '-n', '2', '--actor', 'u-1', path)
    await tail.lines(2)
    for (let number = 0; number < 60; number++) ids.push(await ask())
    const seen = (await tail.lines(62)).map((line): string => JSON.parse(line).id)
    await app.close()
    const { signal, stderr } = await tail.end('SIGINT')
    expect([signal, stderr]).toEqual(['SIGINT', ''])
    expect(seen).toEqual(ids.slice(1))
    expect(readdirSync(directory).length).toBeGreaterThan(3)
  })

  it('begins with as many requests as it is told to, however far back they are', async () => {
    const many = Array.from({ length: 6000 }, (_, n) =>
      linesOf({ id: idOf(n), received: 0, completed: 1, accessor: `u-${n}` }),
    ).flat()
    const path = trailOf(many)
    const first = cli.start('tail', '-n', '3', '--actor', 'u-1', '--actor', 'u-2', '--actor', 'u-5999', path)
    const last = cli.start('tail', path)
    expect((await first.lines(3)).map((line) => JSON.parse(line).id)).toEqual([idOf(1), idOf(2), idOf(5999)])
    expect((await last.lines(10)).map((line) => JSON.parse(line).id)).toEqual(
      Array.from({ length: 10 }, (_, n) => idOf(5990 + n)),
    )
  })

  it('shows a request again when it is corrected, and what the trail says of itself', async () => {
    const made = { id: idOf(1), received: 0, completed: 1, status: 200, correction: { status_code: 500 } }
    const path = trailOf([completeLine(made)])
    const tail = cli.start('tail', path)
    await tail.lines(1)
    appendFileSync(path, `${correctionLine(made)}\n${gapLine(3, 1)}\n`)
    const [, corrected, gap] = (await tail.lines(3)).map((line) => JSON.parse(line))
    expect(corrected).toMatchObject({ id: made.id, response: { status_code: 500 }, corrected: { status_code: 200 } })
    expect(gap).toEqual({
      timestamp: '2026-03-24T17:00:00.000Z',
      type: 'gap',
      gap: { lost: 3, in_doubt: 1, from: 1, to: 2 },
    })
  })

  it('shows people a table when it is told to', async () => {
    const path = trailOf([
      gapLine(3, 1),
      ...linesOf({ id: idOf(1), received: 0, completed: 1, status: 403, error: 'no' }),
    ])
    const tail = cli.start('tail', '--format', 'table', path)
    const [header, gap, row] = await tail.lines(3)
    expect(header).toMatch(/^TIME +ID +STATUS +MS ACTOR +METHOD +ENDPOINT$/)
    expect(gap).toMatch(/trail +gap \{"lost":3/)
    expect(row).toMatch(/^2026-03-24T17:00:00.000Z 00000001 403 +1.5 u-1 +GET +\/ {2}\(no\)$/)
  })

  it.each([
    [['-n', 'x'], /--lines is x; write a number/],
    [['-n', '99999'], /--lines is 99999/],
    [['other'], /tail follows one file/],
  ])('refuses %j', async (args, message) => {
    expect(await cli.run('tail', ...args, trailOf([]))).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(message),
    })
  })

  it('says when there is nothing to follow', async () => {
    const path = join(temporaryDirectory(), 'audit.log')
    expect(await cli.run('tail', path)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('ENOENT'),
    })
  })
})
