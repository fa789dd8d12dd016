import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Writable } from 'node:stream'
import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import audit, {
  type AuditEntry,
  type AuditSink,
  BatchError,
  memorySink,
  type SealOptions,
  type SinkOptions,
  streamSink,
  type VerifyResult,
  verifyTrail,
} from '../../../src/index.js'
import { ArchiveNames } from '../../../src/sinks/file/names.js'
import { faultySink } from '../../../src/testing.js'
import { writeTrail } from './sealed-trail.js'

const SECRET = 'a secret of at least thirty-two bytes'

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'sealing-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

async function serve(sink: SinkOptions): Promise<FastifyInstance> {
  const app = Fastify()
  onTestFinished(() => app.close())
  await app.register(audit, { sinks: [sink], closeTimeout: '1s' })
  app.get('/*', async () => [])
  await app.ready()
  return app
}

/** Verifies lines as one file. */
async function verifyLines(lines: readonly string[], secret?: string): Promise<VerifyResult> {
  const path = join(directory(), 'audit.log')
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''))
  return verifyTrail([path], { secret })
}

function typesOf(lines: readonly string[]): string[] {
  return lines.map((line) => JSON.parse(line).payload.type)
}

const statuses = (app: FastifyInstance, urls: readonly string[]) =>
  Promise.all(urls.map(async (url) => (await app.inject(url)).statusCode))

describe('the chain', () => {
  it('follows the last line that is stored, when a batch is not', async () => {
    const sink = memorySink()
    const app = await serve({ name: 'test', sink, seal: true })
    expect(await statuses(app, ['/1', '/2'])).toEqual([200, 200])
    sink.fail()
    expect(await statuses(app, ['/3', '/4'])).toEqual([503, 503])
    sink.recover()
    expect(await statuses(app, ['/5'])).toEqual([200])
    await app.close()
    expect(await verifyLines(sink.lines)).toMatchObject({ ok: true, chains: 1, sealed: sink.lines.length })
  })

  it('includes entries that are stored late', async () => {
    const sink = memorySink()
    const app = await serve({ name: 'test', sink, seal: true, timeout: '20ms' })
    expect(await statuses(app, ['/1'])).toEqual([200])
    sink.hang()
    expect(await statuses(app, ['/2'])).toEqual([503])
    sink.recover()
    await app.audit.flush()
    expect(await statuses(app, ['/3'])).toEqual([200])
    await app.close()
    expect(sink.lines.filter((line) => line.includes('/2'))).not.toEqual([])
    expect(await verifyLines(sink.lines)).toMatchObject({ ok: true, chains: 1 })
  })

  it('says which lines a sink refused out of the middle of a batch', async () => {
    const memory = memorySink()
    const sink = faultySink(memory)
    const app = await serve({ name: 'test', sink, seal: true })
    sink.poison(({ line }) => line.includes('/poison'))
    expect(await statuses(app, ['/1', '/poison', '/2'])).toEqual([200, 503, 200])
    expect(await statuses(app, ['/3'])).toEqual([200])
    await app.close()
    const { length } = memory.lines.filter((line) => line.includes('"dropped"'))
    expect(length).toBeGreaterThan(0)
    expect(await verifyLines(memory.lines)).toMatchObject({ ok: true, chains: 1 })
    // Without that entry, it would be a line that somebody removed.
    const silenced = memory.lines.slice(
      0,
      memory.lines.findIndex((line) => line.includes('"dropped"')),
    )
    expect((await verifyLines(silenced)).problems.map(({ kind }) => kind)).toEqual(['missing'])
    // It explains no other line that is gone.
    const refused = memory.lines.findIndex((line) => line.includes('"OperationReceived"') && line.includes('"/2"'))
    for (const removed of [refused - 1, refused]) {
      const edited = await verifyLines(memory.lines.toSpliced(removed, 1))
      expect(edited.problems.map(({ kind }) => kind)).toEqual(['missing'])
    }
  })

  it('follows the last line that is really there, when a sink dies while it stores', async () => {
    const sink = new Dying()
    const app = await serve({ name: 'test', sink, seal: true })
    expect(await statuses(app, ['/1'])).toEqual([200])
    sink.keeps = 1
    expect(await statuses(app, ['/2', '/3', '/4'])).toEqual([503, 503, 503])
    sink.keeps = Number.POSITIVE_INFINITY
    expect(await statuses(app, ['/5'])).toEqual([200])
    await app.close()
    expect(await verifyLines(sink.lines)).toMatchObject({ ok: true, chains: 1 })
  })

  it('refuses entries that cannot be chained, until the sink tells its last stored line', async () => {
    const sink = new Dying()
    sink.tailError = new Error('nothing can be read now')
    const app = await serve({ name: 'test', sink, seal: true })
    expect(await statuses(app, ['/1'])).toEqual([503])
    expect(app.audit.healthy).toBe(false)
    sink.tailError = null
    expect(await statuses(app, ['/2'])).toEqual([200])
    await app.close()
    expect(await verifyLines(sink.lines)).toMatchObject({ ok: true, chains: 1 })
  })

  it('begins anew at each start if the sink cannot tell its last stored line, and says so', async () => {
    const lines: string[] = []
    for (let start = 0; start < 2; start++) {
      const stream = new Writable({
        write(chunk, _encoding, done) {
          lines.push(...String(chunk).trimEnd().split('\n'))
          done()
        },
      })
      const app = await serve({ name: 'test', sink: streamSink(stream), seal: { secret: SECRET } })
      expect(await statuses(app, ['/1'])).toEqual([200])
      await app.close()
    }
    const second = typesOf(lines).lastIndexOf('seal')
    expect(second).toBeGreaterThan(0)
    expect(await verifyLines(lines, SECRET)).toMatchObject({ ok: true, chains: 2 })
    // A chain of another sink is not a part of this trail, even with the same secret.
    const sink = memorySink()
    await (await serve({ name: 'other', sink, seal: { secret: SECRET } })).close()
    const spliced = await verifyLines([...sink.lines, ...lines.slice(second)], SECRET)
    expect(spliced.problems.map(({ kind, line }) => [kind, line])).toEqual([['begins-anew', sink.lines.length + 1]])
  })

  it('records the torn line that it found, and goes on after the last whole one', async () => {
    const place = directory()
    await writeTrail(place, [2], {})
    const path = join(place, 'audit.log')
    const whole = readFileSync(path, 'utf8')
    writeFileSync(path, `${whole}{"created_at":"2026`)
    const { files } = await writeTrail(place, [1], {})
    const torn = files[0]?.lines.map((line) => JSON.parse(line).payload).find(({ type }) => type === 'torn')
    expect(torn.torn).toEqual({ bytes: 19, set_aside: readdirSync(place).find((name) => name.includes('.torn-')) })
    expect(await verifyTrail([path])).toMatchObject({ ok: true, chains: 1 })
  })

  it('begins after lines without a seal, once sealing is switched on', async () => {
    const place = directory()
    const path = join(place, 'audit.log')
    const app = await serve({ name: 'audit', type: 'file', path })
    await app.inject('/1')
    await app.close()
    const { length } = readFileSync(path, 'utf8').trimEnd().split('\n')
    await writeTrail(place, [1], {})
    await writeTrail(place, [1], {})
    const result = await verifyTrail([path])
    expect(result).toMatchObject({ ok: true, chains: 1, unsealed: length })
    expect(result.holds).toMatchObject([{ from: length + 1 }])
  })

  it('may begin in the middle, when its own entries say that older files were deleted', async () => {
    const place = directory()
    const path = join(place, 'audit.log')
    const app = await serve({ name: 'audit', type: 'file', path, rotateBytes: 2000, rotateMaxFiles: 2, seal: true })
    const { isDeleted } = watch(path)
    for (let request = 0; !isDeleted(); request++) {
      await app.inject(`/${request}`)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await app.audit.flush()
    await app.inject('/last')
    await app.close()
    expect(await verifyTrail([path])).toMatchObject({ ok: true, beginsAfterRetention: true, problems: [] })
    const [oldest] = archivesOf(path)
    rmSync(join(place, oldest?.name ?? ''))
    expect((await verifyTrail([path])).problems.map(({ kind }) => kind)).toEqual(['begins-in-the-middle', 'renamed'])
  })
})

/** The oldest first: by their names alone, one of the same millisecond as another may stand before it. */
function archivesOf(path: string) {
  return new ArchiveNames(path).among(readdirSync(dirname(path)))
}

/** Resolves when the first archive of a file has been deleted. */
function watch(path: string): { isDeleted: () => boolean } {
  let first: string | undefined
  return {
    isDeleted: () => {
      const archives = archivesOf(path).map(({ name }) => name)
      first ??= archives[0]
      return first !== undefined && !archives.includes(first)
    },
  }
}

describe('formats', () => {
  it('are sealed alike: what is hashed is the line without its last member', async () => {
    const formats = ['json', 'rancher', (event: object) => ` ${JSON.stringify({ odd: true, ...event })} \n`] as const
    for (const format of formats) {
      const sink = memorySink()
      const app = await serve({ name: 'test', sink, format, seal: { secret: SECRET } })
      expect(await statuses(app, ['/1', '/2'])).toEqual([200, 200])
      await app.close()
      for (const line of sink.lines) expect(line).toMatch(/,"prev":"[0-9a-f]{64}","hash":"[0-9a-f]{64}"\}$/)
      expect(await verifyLines(sink.lines, SECRET)).toMatchObject({ ok: true, chains: 1, sealed: sink.lines.length })
    }
  })

  it.each([
    ['plain text', () => 'text', 'returns a line that is no JSON object'],
    ['a list', () => '[]', 'returns a line that is no JSON object'],
    ['an empty object', () => '{}', 'returns a line that is an empty JSON object'],
    ['a `hash` of its own', () => '{"hash":1}', 'returns a line that has a `prev` or a `hash` of its own'],
    [
      'nothing but an error',
      () => {
        throw new Error('not today')
      },
      'fails for an event (not today)',
    ],
  ])('that give %s stop the boot', async (_what, format, message) => {
    const app = Fastify()
    const sinks = [{ name: 'test', sink: memorySink(), format, seal: true }]
    await expect(app.register(audit, { sinks })).rejects.toThrow(`sinks[0].format: a function ${message}`)
  })

  it('that fail for one event later lose that one, and the chain goes on', async () => {
    const sink = memorySink()
    const format = (event: object) => {
      const line = JSON.stringify(event)
      return line.includes('/odd') ? 'odd' : line
    }
    const app = await serve({ name: 'test', sink, format, seal: true })
    expect(await statuses(app, ['/1', '/odd', '/2'])).toEqual([200, 503, 200])
    await app.close()
    expect(await verifyLines(sink.lines)).toMatchObject({ ok: true, chains: 1 })
  })
})

describe('the option `seal`', () => {
  it.each<[string, unknown, string]>([
    ['is a text', 'yes', 'sinks[0].seal: (hidden string) is not a boolean, nor options of it; write true, or { … }'],
    ['has an unknown key', { secrets: SECRET }, 'sinks[0].seal.secrets'],
    ['has a short secret', { secret: 'short' }, 'sinks[0].seal.secret: (hidden string) is too short'],
    ['names a secret that it has not', { keyId: 'a' }, 'sinks[0].seal.keyId: "a" names no secret'],
    ['has a wrong key', { privateKey: 'PEM' }, 'sinks[0].seal.privateKey: (hidden string) is not a private key'],
    ['wants checkpoints without a key', { checkpointEvery: 5 }, 'sinks[0].seal.checkpointEvery: 5 has no use without'],
    ['has two mistakes', { keyId: 7, checkpointEvery: 0 }, 'sinks[0].seal.checkpointEvery: 0 is too small'],
  ])('stops the boot when it %s', async (_what, seal, message) => {
    const app = Fastify()
    const sinks = [{ name: 'test', sink: memorySink(), seal: seal as SealOptions }]
    await expect(app.register(audit, { sinks })).rejects.toThrow(message)
  })

  it('leaves no trace of a secret in the trail, not even in its digest', async () => {
    const digests = await Promise.all(
      ['one', 'two'].map(async (name) => {
        const sink = memorySink()
        const app = await serve({ name: 'test', sink, seal: { secret: `${SECRET} ${name}` } })
        await app.close()
        return sink.lines.map((line) => JSON.parse(line).payload.start?.options_digest).find(Boolean)
      }),
    )
    expect(digests[0]).toBe(digests[1])
  })
})

/** Stores a given number of a batch's entries, and then does not know how many. */
class Dying implements AuditSink {
  lines: string[] = []
  keeps = Number.POSITIVE_INFINITY
  tailError: Error | null = null

  async write(batch: readonly AuditEntry[]): Promise<void> {
    this.lines.push(...batch.slice(0, this.keeps).map(({ line }) => line))
    if (batch.length > this.keeps) throw new BatchError({ inDoubt: batch })
  }

  async tail(): Promise<string | undefined> {
    if (this.tailError !== null) throw this.tailError
    return this.lines.at(-1)
  }
}
