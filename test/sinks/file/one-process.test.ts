import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Worker } from 'node:worker_threads'
import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import audit, { type SinkOptions } from '../../../src/index.js'
import { validateLine } from '../../support/schema.js'
import { linesOf, temporaryDirectory } from './world.js'

const LOCKED = { code: 'FST_AUDIT_SINK_LOCKED', message: expect.stringMatching(/this process.*app\.close\(\)/) }

/** A server with these sinks that is not ready yet. */
async function serverOn(...sinks: SinkOptions[]): Promise<FastifyInstance> {
  const app = Fastify()
  onTestFinished(() => app.close())
  await app.register(audit, { sinks })
  return app
}

function fileAt(path: string, name = 'audit'): SinkOptions {
  return { name, type: 'file', path }
}

describe('two servers of one process on one path', () => {
  it('are one too many: the second is refused at once, and works when the first is closed', async () => {
    const path = join(temporaryDirectory(), 'audit.log')
    const first = await serverOn(fileAt(path))
    await first.ready()
    await expect((await serverOn(fileAt(path))).ready()).rejects.toMatchObject(LOCKED)
    expect((await first.inject('/')).statusCode).toBe(404)
    await first.close()
    const second = await serverOn(fileAt(path))
    await second.ready()
    await second.close()
    const types = linesOf(readFileSync(path, 'utf8')).map((line) => validateLine(line).payload.type)
    expect(types).toEqual(['start', 'audit', 'audit', 'stop', 'start', 'stop'])
  })

  it('are one too many also in two threads, each with the module of its own', async () => {
    const path = join(temporaryDirectory(), 'audit.log')
    const first = await serverOn(fileAt(path))
    await first.ready()
    const main = JSON.stringify(new URL('../../faults/holder-main.ts', import.meta.url))
    const source = `import('tsx/esm/api').then(({ register }) => { register(); return import(${main}) })`
    const worker = new Worker(source, { eval: true, argv: [path], stdin: true, stdout: true })
    onTestFinished(async () => void (await worker.terminate()))
    const said = createInterface({ input: worker.stdout })[Symbol.asyncIterator]()
    const tell = async (order: string): Promise<unknown> => {
      worker.stdin?.write(`${order}\n`)
      return JSON.parse((await said.next()).value)
    }
    await said.next()
    expect(await tell('open 60000')).toMatchObject(LOCKED)
    await first.close()
    expect(await tell('open 0')).toEqual({ path })
    await expect((await serverOn(fileAt(path))).ready()).rejects.toMatchObject(LOCKED)
    await tell('close')
  })
})

describe('a boot that fails leaves no lock', () => {
  it.each<[string, (app: FastifyInstance) => unknown]>([
    ['in an onReady hook that follows', (app) => app.addHook('onReady', async () => fail())],
    ['in a plugin that is loaded later', (app) => void app.register(async () => fail())],
    ['in the onReady hook of such a plugin', (app) => void app.register(async (part) => part.addHook('onReady', fail))],
  ])('%s', async (_name, spoil) => {
    const directory = temporaryDirectory()
    const path = join(directory, 'audit.log')
    const app = await serverOn(fileAt(path))
    spoil(app)
    await expect(app.listen({ port: 0, host: '127.0.0.1' })).rejects.toThrow('made to fail')
    await expect.poll(() => readdirSync(directory).filter((name) => name.includes('.lock'))).toEqual([])
    await (await serverOn(fileAt(path))).ready()
  })

  it('in another sink', async () => {
    const directory = temporaryDirectory()
    mkdirSync(join(directory, 'taken'))
    const app = await serverOn(fileAt(join(directory, 'audit.log')), fileAt(join(directory, 'taken'), 'other'))
    await expect(app.ready()).rejects.toMatchObject({ code: 'FST_AUDIT_SINK_OPEN_FAILED' })
    expect(readdirSync(directory).sort()).toEqual(['audit.log', 'taken'])
  })

  it('in listening, once the server is closed', async () => {
    const directory = temporaryDirectory()
    const path = join(directory, 'audit.log')
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void other.close())
    const address = other.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const app = await serverOn(fileAt(path))
    await expect(app.listen({ port: port ?? 0, host: '127.0.0.1' })).rejects.toThrow('EADDRINUSE')
    await app.close()
    expect(readdirSync(directory)).toEqual(['audit.log'])
    await (await serverOn(fileAt(path))).ready()
  })
})

function fail(): never {
  throw new Error('made to fail')
}
