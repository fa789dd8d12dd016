/**
 * Measures how fast a trail is read, beside reading its bytes from disk and parsing them with JSON.parse: `npx tsx
 * bench/reading.ts [--megabytes 500] [--rounds 3]`. Each row is the best and the worst of its rounds; they take turns.
 */
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm, stat } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import Fastify from 'fastify'
import audit, { memorySink, readTrail, type TrailQuery } from '../src/index.js'

const { values } = parseArgs({
  options: { megabytes: { type: 'string', default: '500' }, rounds: { type: 'string', default: '3' } },
})
const MEGABYTE = 1_000_000
const directory = await mkdtemp(join(tmpdir(), 'audit-bench-'))
const path = join(directory, 'audit.log')

/** Both lines of one request, as the plugin writes them. */
async function linesOfOne(): Promise<string> {
  const sink = memorySink()
  const app = Fastify()
  await app.register(audit, { sinks: [{ name: 'memory', sink }] })
  app.get('/v1/jobs/:name', async () => 'ok')
  await app.inject({ url: '/v1/jobs/web?prefix=w', headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64)' } })
  const lines = sink.lines.filter((line) => line.includes('"type":"audit"'))
  await app.close()
  return lines.map((line) => `${line}\n`).join('')
}

async function writeTrail(bytes: number): Promise<void> {
  const one = await linesOfOne()
  const { id } = JSON.parse(one.slice(0, one.indexOf('\n'))).payload
  const file = await open(path, 'w')
  for (let written = 0; written < bytes; ) {
    const many = Array.from({ length: 1000 }, (_, n) =>
      one.replaceAll(id, randomUUID()).replace('200', n % 100 ? '200' : '403'),
    )
    written += (await file.write(many.join(''))).bytesWritten
  }
  await file.close()
}

async function readBytes(): Promise<void> {
  for await (const _ of createReadStream(path, { highWaterMark: 256 * 1024 }));
}

async function parseLines(): Promise<void> {
  for await (const line of createInterface({ input: createReadStream(path) })) JSON.parse(line)
}

async function search(query: TrailQuery): Promise<void> {
  for await (const _ of readTrail(path, query));
}

const rows: Record<string, () => Promise<void>> = {
  'the bytes alone': readBytes,
  'each line parsed': parseLines,
  'readTrail by id': () => search({ id: '00000000-0000-4000-8000-000000000000' }),
  'readTrail by status': () => search({ status: '403' }),
  'readTrail, everything': () => search({}),
}

try {
  await writeTrail(Number(values.megabytes) * MEGABYTE)
  const { size } = await stat(path)
  const rates = new Map<string, number[]>(Object.keys(rows).map((name) => [name, []]))
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, run] of Object.entries(rows)) {
      const begun = performance.now()
      await run()
      rates.get(name)?.push(size / MEGABYTE / ((performance.now() - begun) / 1000))
    }
  }
  console.log(`${Math.round(size / MEGABYTE)} MB, Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}`)
  for (const [name, list] of rates) {
    console.log(`${name.padEnd(24)} ${Math.min(...list).toFixed(0)} to ${Math.max(...list).toFixed(0)} MB/s`)
  }
  console.log(`memory at most ${Math.round((process.resourceUsage().maxRSS * 1024) / MEGABYTE)} MB`)
} finally {
  await rm(directory, { recursive: true, force: true })
}
