import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { buildLogin } from '../../examples/login.js'
import { memorySink, readTrail, type TrailExchange } from '../../src/index.js'
import { temporaryDirectory } from '../sinks/file/world.js'
import { root } from '../support/markdown.js'

interface Ended {
  status: number
  stdout: string
  stderr: string
}

/** Runs an example to its end. */
function run(example: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const program = ['--import', 'tsx', join(root, 'examples', example), ...args]
  return new Promise((resolve) => {
    execFile(process.execPath, program, { cwd: root, env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

async function trailOf(path: string): Promise<TrailExchange[]> {
  const found: TrailExchange[] = []
  for await (const exchange of readTrail(path)) found.push(exchange)
  return found
}

describe('examples/queue-worker.ts', () => {
  it('does its jobs, finds in its trail what it expects there, and ends on SIGTERM', async () => {
    const { status, stdout, stderr } = await run('queue-worker.ts')
    expect([status, stderr]).toEqual([0, 'job failed: the bank refuses\n'])
    expect(stdout).toContain('OperationComplete invoice.refund invoice:42 success')
  })
})

describe('examples/command.ts', () => {
  const args = ['disable-user', '7', '--reason', 'left the company']

  it('records who ran it, to whom it was done, and how it ended', async () => {
    const file = join(temporaryDirectory(), 'audit.log')
    expect(await run('command.ts', args, { AUDIT_FILE: file })).toEqual({
      status: 0,
      stdout: 'user 7 is disabled, 2 sessions are ended\n',
      stderr: '',
    })
    const failed = await run('command.ts', ['disable-user', '0', '--reason', 'x'], { AUDIT_FILE: file })
    expect(failed).toEqual({ status: 1, stdout: '', stderr: 'the first user cannot be disabled\n' })
    const auth = { accessor_id: String(process.getuid?.()), method: 'shell' }
    expect(await trailOf(file)).toMatchObject([
      {
        auth,
        action: 'user.disable',
        targets: [{ type: 'user', id: '7' }],
        outcome: 'success',
        annotations: { reason: 'left the company', sessions: 2 },
      },
      { auth, action: 'user.disable', targets: [{ type: 'user', id: '0' }], outcome: 'failure' },
    ])
  })

  it('does nothing that it cannot record', async () => {
    const { status, stdout, stderr } = await run('command.ts', args, { AUDIT_FILE: temporaryDirectory() })
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toContain('could not be opened')
  })

  it('says how it is used', async () => {
    expect(await run('command.ts')).toEqual({
      status: 0,
      stdout: 'usage: disable-user ID --reason TEXT\n',
      stderr: '',
    })
  })
})

describe('examples/login.ts', () => {
  async function login() {
    const sink = memorySink()
    const app = await buildLogin([{ name: 'memory', sink }])
    onTestFinished(() => app.close())
    const begin = (name: string, password: string) =>
      app.inject({ method: 'POST', url: '/session', payload: { name, password } })
    return { app, sink, begin }
  }

  it('says who logged in, and who logged out', async () => {
    const { app, sink, begin } = await login()
    const { token } = (await begin('ada', 'analytical engine')).json()
    await app.inject({ method: 'DELETE', url: '/session', headers: { authorization: `Bearer ${token}` } })
    expect(sink.events.map(({ payload }) => [payload.action, payload.auth.accessor_id, payload.outcome])).toEqual([
      ['session.begin', 'anonymous', undefined],
      ['session.begin', 'u-7', 'success'],
      ['session.end', 'u-7', undefined],
      ['session.end', 'u-7', 'success'],
    ])
    expect(sink.events[1]?.payload).toMatchObject({
      auth: { name: 'Ada', method: 'password' },
      targets: [{ type: 'user', id: 'u-7' }],
    })
    expect(app.audit.stats().authChanged).toBe(0)
  })

  it.each([
    ['ada', 'difference engine', 'wrong password'],
    ['eve', 'apple', 'no such user'],
  ])('says of a failed login as %s which name was attempted, and why it failed', async (name, password, reason) => {
    const { sink, begin } = await login()
    expect((await begin(name, password)).json()).toEqual({ message: 'Name or password is wrong' })
    expect(sink.events.at(-1)?.payload).toMatchObject({
      auth: { accessor_id: 'anonymous' },
      outcome: 'denied',
      reason,
      annotations: { attempted: name },
    })
    expect(sink.lines.join('\n')).not.toContain(password)
  })
})
