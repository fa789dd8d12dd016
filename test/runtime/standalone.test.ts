import { type ChildProcess, execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import Fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import audit, { readTrail, verifyTrail } from '../../src/index.js'
import { optionsSchema } from '../../src/options/schema.js'
import { standaloneSchema } from '../../src/options/standalone.js'
import { createAudit, memorySink, type SinkLogger, type StandaloneOptions } from '../../src/standalone.js'
import { compiled } from '../support/process/compiled.js'
import { validateLine } from '../support/schema.js'

const child = await compiled(fileURLToPath(new URL('./standalone-child.ts', import.meta.url)))
const NOT_RECORDED = { code: 'FST_AUDIT_NOT_RECORDED' }
const actor = { accessorId: 'worker' }

function folder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'audit-standalone-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** An audit with a memory sink whose every line is valid when the test is over. */
async function opened(options: StandaloneOptions = {}) {
  const sink = memorySink()
  const logged: string[] = []
  const line = (_: object, message: string) => void logged.push(message)
  const log: SinkLogger = { info: line, warn: line, error: line }
  const audit = await createAudit({ sinks: [{ name: 'memory', sink }], log, ...options })
  onTestFinished(async () => {
    await audit.close()
    for (const line of sink.lines) validateLine(line)
  })
  return { audit, sink, logged }
}

/** A promise that is resolved by a call. */
function latch(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

/** The type, stage and outcome of each line. */
function kinds(lines: readonly string[]): string[] {
  return lines.map((line) => {
    const { type, stage, outcome } = JSON.parse(line).payload
    return [type, stage, outcome].filter((part) => part !== undefined).join(' ')
  })
}

function linesOf(path: string): string[] {
  return readFileSync(path, 'utf8').trimEnd().split('\n')
}

describe('createAudit', () => {
  it('records events and work, from a start to a stop', async () => {
    const { audit, sink } = await opened()
    await audit.record({ action: 'key.rotate', actor, targets: [{ type: 'key', id: 7 }] })
    expect(await audit.run({ action: 'report.export', actor }, (work) => work.id)).toMatch(/^[\da-f-]{36}$/)
    expect(audit.healthy).toBe(true)
    await audit.flush()
    expect(audit.stats()).toMatchObject({ healthy: true, open: 0, sinks: { memory: { stored: 4, lost: 0 } } })
    await audit.close()
    expect(kinds(sink.lines)).toEqual([
      'start',
      'action',
      'action OperationReceived',
      'action OperationComplete success',
      'stop',
    ])
  })

  it('stores nothing, and runs nothing, that an enforced sink cannot store; it works again when the sink does', async () => {
    const { audit, sink } = await opened()
    await audit.flush()
    sink.fail()
    let hasRun = false
    await expect(audit.record({ action: 'key.rotate' })).rejects.toMatchObject(NOT_RECORDED)
    const run = audit.run({ action: 'key.rotate' }, () => {
      hasRun = true
    })
    await expect(run).rejects.toMatchObject(NOT_RECORDED)
    expect([hasRun, audit.healthy]).toEqual([false, false])
    sink.recover()
    await expect.poll(() => audit.healthy).toBe(true)
    await audit.record({ action: 'key.rotate' })
  })

  it('rejects when a sink cannot open, and leaves no lock', async () => {
    const path = join(folder(), 'audit.log')
    const broken = { open: () => Promise.reject(new Error('no bucket')), write: async () => undefined }
    const log: SinkLogger = { info: () => undefined, warn: () => undefined, error: () => undefined }
    const options: StandaloneOptions = {
      log,
      sinks: [
        { name: 'file', type: 'file', path },
        { name: 'broken', sink: broken },
      ],
    }
    await expect(createAudit(options)).rejects.toThrow('no bucket')
    const { audit } = await opened({ sinks: [{ name: 'file', type: 'file', path }] })
    await audit.record({ action: 'key.rotate' })
  })
})

describe('explainAction', () => {
  it('explains what becomes of an action, as it then becomes', async () => {
    const filters = [{ type: 'ActionEvent' as const, actions: ['cache.*'] }]
    const { audit, sink } = await opened({ filters })
    for (const action of ['cache.clear', 'key.rotate']) {
      const isRecorded = audit.explainAction({ action }).sinks.memory?.complete
      await audit.flush()
      const before = sink.lines.length
      await audit.record({ action })
      await audit.flush()
      expect([action, sink.lines.length > before]).toEqual([action, isRecorded])
    }
  })
})

describe('close', () => {
  it('waits for open work', async () => {
    const { audit, sink } = await opened()
    const work = latch()
    const ran = audit.run({ action: 'report.export' }, () => work.opened)
    const closed = audit.close()
    work.open()
    await Promise.all([ran, closed])
    expect(kinds(sink.lines).slice(-2)).toEqual(['action OperationComplete success', 'stop'])
  })

  it('waits for open work no longer than closeTimeout, and says that it was open', async () => {
    const { audit, sink } = await opened({ closeTimeout: '100ms' })
    const begun = latch()
    const work = latch()
    const ran = audit.run({ action: 'report.export' }, () => {
      begun.open()
      return work.opened
    })
    await begun.opened
    await audit.close()
    const [complete, stop] = sink.lines.slice(-2).map((line) => JSON.parse(line).payload)
    expect(complete).toMatchObject({ stage: 'OperationComplete', aborted: true })
    expect(stop).toMatchObject({ type: 'stop', stop: { open: 1 } })
    work.open()
    await expect(ran).rejects.toMatchObject({ code: 'FST_AUDIT_RESPONSE_WITHHELD' })
  })

  it('may be called again, and is over when the first call is', async () => {
    const { audit, sink } = await opened()
    const work = latch()
    const ran = audit.run({ action: 'report.export' }, () => work.opened)
    const first = audit.close()
    const second = audit.close()
    work.open()
    await second
    expect(kinds(sink.lines).slice(-2)).toEqual(['action OperationComplete success', 'stop'])
    await Promise.all([ran, first, audit.close()])
    expect(kinds(sink.lines).filter((kind) => kind === 'stop')).toHaveLength(1)
  })

  it('ends the recording: record and run reject, and the function does not run', async () => {
    const { audit, sink, logged } = await opened()
    await audit.close()
    await expect(audit.record({ action: 'key.rotate' })).rejects.toMatchObject(NOT_RECORDED)
    const run = audit.run({ action: 'key.rotate' }, () => expect.unreachable())
    await expect(run).rejects.toMatchObject(NOT_RECORDED)
    expect(kinds(sink.lines)).toEqual(['start', 'stop'])
    expect(logged.some((message) => message.includes('FST_AUDIT_NOT_RECORDED'))).toBe(true)
  })
})

describe('the options', () => {
  const REFUSED = Object.keys(optionsSchema.shape).filter((key) => !(key in standaloneSchema.shape))

  it('are those of the plugin that are not about requests, and a logger', () => {
    expect(REFUSED).toContain('identity')
    expect(Object.keys(standaloneSchema.shape).filter((key) => !(key in optionsSchema.shape))).toEqual(['log'])
  })

  it.each(REFUSED)('do not have %s, and the message says why', async (key) => {
    const options = { [key]: undefined } as StandaloneOptions
    const message = `${key} is not an option here; `
    await expect(createAudit(options)).rejects.toThrow(message)
  })

  it.each([
    [{ sinks: [] }, 'sinks: [] is empty'],
    [{ log: console.log }, 'log: a function is not a logger; give an object with the methods'],
    [{ closeTimeout: 5 }, 'closeTimeout: 5 is not a duration'],
    [{ path: 'x.log' }, 'path: "x.log" is not an option here; it belongs to a file sink'],
    [null, 'is not an object'],
  ])('%j are refused', async (options, message) => {
    const wrong = options as unknown as StandaloneOptions
    await expect(createAudit(wrong)).rejects.toThrow(expect.objectContaining({ code: 'FST_AUDIT_INVALID_OPTIONS' }))
    await expect(createAudit(wrong)).rejects.toThrow(message)
  })

  it('redact, bound and filter as those of the plugin do', async () => {
    const { audit, sink } = await opened({ capture: { maxAnnotations: 1 }, redact: { keys: ['ssn'] } })
    await audit.record({ action: 'user.add', annotations: { ssn: '078-05-1120', more: 1 } })
    await audit.flush()
    const { annotations } = JSON.parse(sink.lines.at(-1) ?? '').payload
    expect(annotations).toEqual({ ssn: '[REDACTED]' })
  })

  it('are not warned of for filters of requests, which a server may share', async () => {
    const reads = { name: 'reads', endpoints: ['*'], stages: ['*'] as const, operations: ['*'], actors: ['service:*'] }
    const { logged } = await opened({ filters: [reads] })
    expect(logged).toEqual([])
  })

  it('warn of what is probably not meant', async () => {
    const path = join(folder(), 'audit.log')
    const { logged } = await opened({ sinks: [{ name: 'file', type: 'file', path, rotateMaxFiles: 3 }] })
    expect(logged.some((message) => message.includes('rotateMaxFiles'))).toBe(true)
  })
})

describe('a process', () => {
  const run = (what: string, path: string) => promisify(execFile)(process.execPath, [child, what, path])

  it.each(['ends without close', 'exits without close', 'exits in its work'])(
    'that %s has stored what it recorded, and the next one goes on in the same file',
    async (what) => {
      const path = join(folder(), 'audit.log')
      await run(what, path)
      const before = kinds(linesOf(path))
      expect(before.filter((kind) => kind.startsWith('action'))).toHaveLength(1)
      expect(before).not.toContain('stop')
      await run('ends without close', path)
      expect(kinds(linesOf(path)).slice(0, before.length)).toEqual(before)
      expect((await verifyTrail([path])).problems).toEqual([])
    },
  )

  it('without a logger is told on standard error what fails, and has standard output for itself', async () => {
    const { stdout, stderr } = await run('loses an action', '')
    expect(stderr).toContain('audit sink "lost" fails')
    expect(stderr).toContain('no disk')
    expect(stdout.split('\n')).toEqual([expect.stringContaining('could not be recorded'), ''])
  })

  it('stands beside a server: each has a file of its own, and both are one trail to those who read', async () => {
    const directory = folder()
    const path = join(directory, 'audit-{slot}.log')
    const app = Fastify()
    onTestFinished(() => app.close())
    await app.register(audit, { sinks: [{ name: 'audit', type: 'file', path, seal: true }] })
    app.post('/jobs', async (_, reply) => reply.code(202).send({}))
    await app.ready()
    const worker: ChildProcess = fork(child, ['stands beside a server', path])
    onTestFinished(() => void worker.kill())
    await once(worker, 'message')
    const reply = await app.inject({ method: 'POST', url: '/jobs' })
    expect(reply.statusCode).toBe(202)
    worker.send('go on')
    await once(worker, 'exit')
    await app.inject({ method: 'POST', url: '/jobs' })
    await app.close()

    expect(readdirSync(directory).filter((name) => name.endsWith('.log'))).toEqual(['audit-0.log', 'audit-1.log'])
    const verified = await verifyTrail([directory])
    expect(verified.problems).toEqual([])
    expect(verified.files).toHaveLength(2)
    const found: string[] = []
    for await (const { action, request } of readTrail(directory)) found.push(action ?? request?.endpoint ?? '')
    expect(found.sort()).toEqual(['/jobs', '/jobs', 'job.begin', 'job.run'])
  })
})
