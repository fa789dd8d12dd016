import { createPublicKey, verify } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import audit, {
  type Checkpoint,
  type MemorySink,
  memorySink,
  type SealOptions,
  verifyTrail,
} from '../../../src/index.js'
import { KEYS, writeTrail } from './sealed-trail.js'

const { privateKey, publicKey } = KEYS

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'checkpoints-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

async function serve(seal: SealOptions, sink: MemorySink = memorySink()) {
  const errors: string[] = []
  const logger = { level: 'error', stream: { write: (line: string) => void errors.push(line) } }
  const app = Fastify({ logger })
  onTestFinished(() => app.close())
  await app.register(audit, { sinks: [{ name: 'test', sink, seal: { privateKey, ...seal } }], closeTimeout: '1s' })
  app.get('/*', async () => [])
  await app.ready()
  const inTrail = (): Checkpoint[] =>
    sink.lines.map((line) => JSON.parse(line).payload.checkpoint).filter((one) => one !== undefined)
  return { app, sink, errors, inTrail }
}

describe('a checkpoint', () => {
  it('is made after a number of entries, and when the server closes', async () => {
    const handed: Checkpoint[] = []
    const { app, sink, inTrail } = await serve({ checkpointEvery: 6, onCheckpoint: (one) => void handed.push(one) })
    for (let request = 0; request < 7; request++) await app.inject('/')
    const before = inTrail().length
    expect(before).toBe(2)
    await app.close()
    expect(inTrail()).toHaveLength(before + 1)
    expect(handed).toEqual(inTrail())
    expect(JSON.parse(sink.lines.at(-1) ?? '').payload.type).toBe('checkpoint')
  })

  it('covers the line before it, and is signed for anyone to verify', async () => {
    const { app, sink } = await serve({})
    await app.inject('/')
    await app.close()
    const [before, line] = sink.lines.slice(-2).map((text) => JSON.parse(text))
    const { checkpoint } = line.payload
    expect(checkpoint).toMatchObject({ sink: 'test', instance: before.instance, seq: before.seq, hash: before.hash })
    const text = `fastify-audit-log checkpoint 1\ntest\n${before.instance}\n${before.seq}\n${before.hash}\n${checkpoint.time}\n`
    const pem = publicKey.export({ type: 'spki', format: 'pem' })
    expect(verify(null, Buffer.from(text), createPublicKey(pem), Buffer.from(checkpoint.signature, 'base64'))).toBe(
      true,
    )
  })

  it('is made when an entry has waited for one long enough, and not again while nothing is written', async () => {
    const { promise, resolve } = promiseOf<Checkpoint>()
    const { app, inTrail } = await serve({ checkpointInterval: '1ms', checkpointEvery: 1000, onCheckpoint: resolve })
    const checkpoint = await promise
    expect(inTrail()).toEqual([checkpoint])
    await app.close()
    expect(inTrail()).toHaveLength(2)
  })

  it('is made where a file was rotated', async () => {
    const { files, checkpoints } = await writeTrail(directory(), [12], { privateKey, rotateBytes: 4000 })
    expect(files.length).toBeGreaterThan(3)
    expect(checkpoints.length).toBeGreaterThanOrEqual(files.length - 1)
  })

  it('is published for the whole process', async () => {
    const seen: unknown[] = []
    const listener = (message: unknown) => void seen.push(message)
    subscribe('fastify-audit-log:checkpoint', listener)
    onTestFinished(() => void unsubscribe('fastify-audit-log:checkpoint', listener))
    const { app, inTrail } = await serve({})
    await app.close()
    expect(seen).toEqual(inTrail())
  })

  it('that is not stored is not handed out, and made again', async () => {
    const handed: Checkpoint[] = []
    const { app, sink, inTrail } = await serve({ checkpointEvery: 5, onCheckpoint: (one) => void handed.push(one) })
    await app.inject('/')
    sink.fail()
    await app.inject('/')
    expect(handed).toEqual([])
    sink.recover()
    await app.inject('/')
    expect(handed).toEqual(inTrail())
    expect(handed).toHaveLength(1)
  })

  it('that cannot be kept elsewhere is reported, and changes nothing else', async () => {
    const onCheckpoint = async () => {
      throw new Error('the bucket is gone')
    }
    const { app, errors } = await serve({ checkpointEvery: 1, onCheckpoint })
    expect((await app.inject('/')).statusCode).toBe(200)
    await app.close()
    expect(errors.join()).toContain('the bucket is gone')
  })

  it('is waited for by a server that closes', async () => {
    const called = promiseOf<void>()
    const kept = promiseOf<void>()
    const onCheckpoint = () => {
      called.resolve()
      return kept.promise
    }
    const { app } = await serve({ onCheckpoint })
    let isClosed = false
    const closed = app.close().then(() => {
      isClosed = true
    })
    await called.promise
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(isClosed).toBe(false)
    kept.resolve()
    await closed
  })

  it('that nobody takes does not keep the sink from being closed: its lock would keep the next server out', async () => {
    const path = join(directory(), 'audit.log')
    const seal = { privateKey, onCheckpoint: () => new Promise<void>(() => undefined) }
    const app = Fastify()
    await app.register(audit, { sinks: [{ name: 'test', type: 'file', path, seal }], closeTimeout: '100ms' })
    await app.ready()
    expect(existsSync(`${path}.lock`)).toBe(true)
    await app.close()
    await expect.poll(() => existsSync(`${path}.lock`)).toBe(false)
  })

  it('that was forged is found', async () => {
    const { app, sink, inTrail } = await serve({})
    await app.close()
    const path = join(directory(), 'audit.log')
    writeFileSync(path, sink.lines.map((line) => `${line}\n`).join(''))
    const [genuine] = inTrail()
    if (genuine === undefined) throw new Error('there is no checkpoint')
    const kinds = async (expected: Checkpoint | string) =>
      (await verifyTrail([path], { publicKey, expect: expected })).problems.map(({ kind }) => kind)
    expect(await kinds(genuine)).toEqual([])
    expect(await kinds(JSON.stringify(genuine))).toEqual([])
    expect(await kinds(sink.lines.at(-1) ?? '')).toEqual([])
    expect(await kinds({ ...genuine, seq: genuine.seq + 1 })).toEqual(['signature'])
    await expect(kinds('no checkpoint')).rejects.toMatchObject({ code: 'FST_AUDIT_INVALID_KEY' })
    await expect(verifyTrail([path], { publicKey: 'PEM' })).rejects.toMatchObject({ code: 'FST_AUDIT_INVALID_KEY' })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    await expect(verifyTrail([path], { publicKey: pem })).rejects.toThrow('it is the private one')
  })
})

function promiseOf<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
