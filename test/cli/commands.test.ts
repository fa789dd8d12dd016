import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { completeLine, gapLine, idOf, linesOf, receivedLine, temporaryDirectory, trailOf } from '../reader/made.js'
import { execute, program } from './program.js'
import { served } from './served.js'

const cli = await program()

const HOSTILE = '/x\u001b[2J\u0085\u202e\u2028=1+1'

describe('query', () => {
  it.each(['json', 'rancher'] as const)(
    'shows what a server recorded in format %s, over its rotated and compressed files',
    async (format) => {
      const { directory, replies } = await served(format)
      const archives = readdirSync(directory).filter((name) => /Z(-\d+)?\.log$/.test(name))
      expect(archives.length).toBeGreaterThan(1)
      compress(join(directory, archives[0] ?? ''))
      const { code, stdout, stderr } = await cli.run('query', directory)
      const shown = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
      expect([code, stderr]).toEqual([0, ''])
      expect(shown.map(({ id, response }) => [id, response.status_code])).toEqual(
        replies.map(({ id, status }) => [id, status]),
      )
      const corrected = shown.filter(({ corrected }) => corrected !== undefined)
      expect(corrected.map(({ response, corrected }) => [response.status_code, corrected.status_code])).toEqual([
        [500, 200],
      ])
    },
  )

  it('finds requests by their own data and by their outcome', async () => {
    const { path } = await served('json')
    const count = async (...args: string[]) => {
      const { stdout } = await cli.run('query', ...args, path)
      return stdout.split('\n').length - 1
    }
    expect(await count('--status', '4xx')).toBe(2)
    expect(await count('--actor', 'Bob', '--operation', 'delete')).toBe(1)
    expect(await count('--endpoint', '/v1/jobs/*')).toBe(10)
    expect(await count('--annotation', 'order=42')).toBe(3)
    expect(await count('--namespace', 'team')).toBe(1)
    expect(await count('--since', '1h')).toBe(15)
    expect(await count('--until', '1h')).toBe(0)
  })

  it('ends with 1 when it finds nothing, and with 2 when it cannot look', async () => {
    const path = trailOf(linesOf({ id: idOf(1), received: 0 }))
    expect(await cli.run('query', '--status', '500', path)).toEqual({ code: 1, signal: null, stdout: '', stderr: '' })
    expect(await cli.run('query', '--open', path)).toMatchObject({ code: 0 })
    for (const missing of [`${path}.none`, join(dirname(path), 'none', 'audit.log')]) {
      expect(await cli.run('query', missing)).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining(`There is no audit trail at ${missing}`),
      })
    }
    expect(await cli.run('query')).toMatchObject({ code: 2, stderr: expect.stringContaining('name the trail') })
    expect(await cli.run('query', '--status', 'x', path)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/status "x" is not a status/),
    })
    expect(await cli.run('qeury', path)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('did you mean query?'),
    })
    expect(await cli.run()).toMatchObject({ code: 2, stderr: expect.stringContaining('write a command') })
  })

  it('reads all that logrotate made of a trail, and names what it cannot read', async () => {
    const path = trailOf(linesOf({ id: idOf(4), received: 40, completed: 41, status: 200 }))
    const directory = dirname(path)
    const text = (n: number): string =>
      linesOf({ id: idOf(n), received: 10 * n, completed: 10 * n + 1, status: 200 }).join('\n')
    writeFileSync(`${path}.1`, `${text(3)}\n`)
    writeFileSync(`${path}.2.gz`, gzipSync(`${text(2)}\n`))
    writeFileSync(`${path}-20261130`, `${text(1)}\n`)
    const newestFirst = [path, `${path}.1`, `${path}.2.gz`, `${path}-20261130`]
    for (const paths of [[directory], [path], newestFirst]) {
      const { code, stdout, stderr } = await cli.run('query', ...paths)
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout.match(/"id":"0000000\d/g)).toEqual([1, 2, 3, 4].map((n) => `"id":"0000000${n}`))
    }
    writeFileSync(`${path}.3.xz`, Buffer.from('fd377a585a0000', 'hex'))
    execFileSync('mkfifo', [join(directory, 'pipe.log')])
    for (const command of ['query', 'stats']) {
      const { code, stdout, stderr } = await cli.run(command, directory)
      expect(code).toBe(2)
      expect(stdout).toContain(command === 'query' ? idOf(1) : '4 requests')
      expect(stderr).toMatch(/audit\.log\.3\.xz: it is compressed by xz/)
      expect(stderr).toMatch(/pipe\.log: it is not a regular file/)
    }
    const verified = await cli.run('verify', directory)
    expect([verified.code, verified.stdout]).toEqual([
      1,
      expect.stringMatching(/pipe\.log: unreadable[\s\S]*4 files, 8 lines/),
    ])
  })

  it('names skipped lines and unreadable files on standard error', async () => {
    const path = trailOf([
      gapLine(3, 1),
      'foreign',
      ...linesOf({ id: idOf(1), received: 0, completed: 1, status: 200 }),
    ])
    writeFileSync(
      join(dirname(path), 'audit-2026-03-24T17-00-00.000Z.log.gz'),
      gzipSync('x'.repeat(1000)).subarray(0, 20),
    )
    const { code, stdout, stderr } = await cli.run('query', path)
    expect(code).toBe(2)
    expect(stdout).toContain(idOf(1))
    expect(stderr).toMatch(
      /1 gap: 3 records lost, 1 in doubt\n.*1 line skipped: not a record of either format\n.*could not be read whole: .*\.gz: /,
    )
  })

  it('shows nothing that a terminal acts on, from the trail, from names or from the command line', async () => {
    const directory = join(temporaryDirectory(), HOSTILE.slice(1))
    const path = trailOf(
      linesOf({
        id: idOf(1),
        received: 0,
        completed: 1,
        status: 403,
        endpoint: HOSTILE,
        name: HOSTILE,
        error: HOSTILE,
      }),
    )
    for (const args of [
      ['query', '--format', 'table', path],
      ['query', '--format', 'csv', path],
      ['query', '--format', 'json', path],
      ['stats', path],
      ['stats', '--format', 'json', path],
      ['query', directory],
      ['query', `--${HOSTILE}`],
      ['query', '--format', HOSTILE, path],
      [HOSTILE],
    ]) {
      const { stdout, stderr } = await cli.run(...args)
      for (const text of [stdout, stderr]) {
        expect(text).not.toMatch(/[\u007f-\u009f\u202a-\u202e\u2028]/)
        expect(text).not.toContain('\u001b')
        expect(stdout + stderr).toContain('[2J')
      }
    }
  })

  it('shows a request whose body is nested too deeply to be written again', async () => {
    const line = completeLine({ id: idOf(1), received: 0, completed: 1 })
    const deep = `"body":${'['.repeat(30_000)}${']'.repeat(30_000)},"endpoint"`
    const path = trailOf([line.replace('"endpoint"', deep)])
    for (const format of ['table', 'json', 'csv']) {
      expect(await cli.run('query', '--format', format, path)).toMatchObject({ code: 0, stderr: '' })
    }
  })

  it('ends quietly when its reader goes', async () => {
    const path = trailOf(
      Array.from({ length: 20_000 }, (_, n) => linesOf({ id: idOf(n), received: 0, completed: 1 })).flat(),
    )
    const line = `set -o pipefail; "${process.execPath}" "${cli.path}" query "${path}" | head -n 1`
    const { code, stdout, stderr } = await execute('bash', ['-c', line])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain(idOf(0))
  })
})

describe('--help', () => {
  it.each(['query', 'tail', 'stats', 'verify'])('of %s has its options and examples', async (name) => {
    const { code, stdout } = await cli.run(name, '--help')
    expect(code).toBe(0)
    expect(stdout).toContain(`npx fastify-audit-log ${name} [OPTION]…`)
    expect(stdout).toMatch(/--record-access FILE.*\n[\s\S]*Examples:\n[\s\S]*Exits with 0/)
  })

  it('names the commands, and there is a version', async () => {
    const { code, stdout } = await cli.run('--help')
    expect([code, [...stdout.matchAll(/^ {2}(\w+) {2}/gm)].map(([, name]) => name)]).toEqual([
      0,
      ['query', 'tail', 'stats', 'verify'],
    ])
    expect((await cli.run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

describe('stats', () => {
  it('sums up what a server recorded', async () => {
    const { path } = await served('json')
    const { code, stdout, stderr } = await cli.run('stats', '--format', 'json', path)
    expect([code, stderr]).toEqual([0, ''])
    const summed = JSON.parse(stdout)
    expect(summed).toMatchObject({ requests: 15, errors: 3, open: 0, corrected: 1, trail: { gaps: 0, foreign: 0 } })
    expect(summed.actors[0]).toEqual({ key: 'u-1', total: 11, errors: 0 })
    expect(summed.endpoints[0]).toEqual({ key: 'GET /v1/jobs/:name', total: 10, errors: 0 })
    expect(summed.rates.spans.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(15)
    expect(summed.slowest).toHaveLength(10)
  })

  it('shows people the same, with what was never completed', async () => {
    const path = trailOf([
      receivedLine({ id: idOf(2), received: 0, endpoint: '/slow' }),
      completeLine({ id: idOf(1), received: 0, completed: 1, status: 500, error: 'boom', route: '/v1/:x' }),
    ])
    const { stdout } = await cli.run('stats', path)
    expect(stdout).toMatch(/^2 requests from 2026-03-24T17:00:00.000Z to/)
    expect(stdout).toMatch(/Errors\n.*\n +1 +1 {2}500 boom\n/)
    expect(stdout).toMatch(/ 1 +1 {2}GET \/v1\/:x\n +1 +0 {2}GET \/slow\n/)
    expect(stdout).toMatch(/Never completed\n.*open.*\/slow\n/)
    expect(stdout).toContain('█')
    expect(await cli.run('stats', '--actor', 'nobody', path)).toMatchObject({ code: 1, stdout: 'No requests.\n' })
  })
})

describe('--record-access', () => {
  const RECORDED = linesOf({ id: idOf(1), received: 0, completed: 1 })

  it('says who reads what, before anything is printed', async () => {
    const path = trailOf(RECORDED)
    const file = join(temporaryDirectory(), 'access.jsonl')
    for (const command of ['query', 'stats']) await cli.run(command, '--actor', 'u-1', '--record-access', file, path)
    const lines = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toMatchObject([
      { command: 'query', arguments: ['--actor', 'u-1', '--record-access', file, path], uid: process.getuid?.() },
      { command: 'stats', directory: process.cwd() },
    ])
    expect(Date.now() - Date.parse(lines[0].time)).toBeLessThan(600_000)
    expect(lstatSync(file).mode & 0o777).toBe(0o600)
  })

  it('prints nothing if it cannot record the access', async () => {
    const path = trailOf(RECORDED)
    const directory = temporaryDirectory()
    const link = join(directory, 'link')
    symlinkSync(join(directory, 'target'), link)
    for (const file of [join(directory, 'none', 'access'), directory, link]) {
      expect(await cli.run('query', '--record-access', file, path)).toMatchObject({ code: 2, stdout: '' })
    }
    expect(existsSync(join(directory, 'target'))).toBe(false)
  })

  it('does not write into the trail, by whatever name', async () => {
    const path = trailOf(RECORDED)
    const before = readFileSync(path, 'utf8')
    for (const named of [path, dirname(path)]) {
      expect(await cli.run('query', '--record-access', path, named)).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining('is a part of the trail'),
      })
    }
    expect(readFileSync(path, 'utf8')).toBe(before)
  })
})

function compress(path: string): void {
  writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)))
  rmSync(path)
}
