import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import type { TrailEvent } from '../../../src/index.js'
import { createAudit } from '../../../src/standalone.js'
import { temporaryDirectory } from '../../sinks/file/world.js'
import { randomFrom } from '../random.js'

/** The program that floods its trail with events and work. */
export const FLOOD = fileURLToPath(new URL('../../runtime/kill-child.ts', import.meta.url))

/** Sayings of one program at most, before it is killed. */
const SAYINGS = 400

export interface Said {
  begun: string[]
  stored: string[]
  done: string[]
}

/**
 * Kills programs that record events and work, each on the files that the one before has left, and holds the trail to its
 * promises. Returns what they said.
 */
export async function expectActionsSurvive(program: string, count: number, seed: number): Promise<Said> {
  const path = join(temporaryDirectory(), 'audit.log')
  const random = randomFrom(seed)
  const said: Said = { begun: [], stored: [], done: [] }
  for (let life = 0; life < count; life++) await killOne(program, path, life, Math.floor(random() * SAYINGS), said)
  // Repairs what the last one has left.
  const last = await createAudit({ sinks: [{ name: 'audit', type: 'file', path }] })
  await last.close()
  const place = `seed ${seed}`
  const stages = stagesOf(path)
  for (const name of said.stored) expect(stages.get(name), `${name}, ${place}`).toEqual(['event'])
  for (const name of said.begun) expect(stages.get(name)?.[0], `${name}, ${place}`).toBe('OperationReceived')
  for (const name of said.done) {
    expect(stages.get(name), `${name}, ${place}`).toEqual(['OperationReceived', 'OperationComplete'])
  }
  for (const [name, all] of stages) expect(all.length, `${name}, ${place}`).toBe(new Set(all).size)
  return said
}

async function killOne(program: string, path: string, life: number, sayings: number, said: Said): Promise<void> {
  const child = spawn(process.execPath, [program, path, String(life)], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let text = ''
  let complaints = ''
  let lines = 0
  child.stderr.on('data', (chunk) => {
    complaints += chunk
  })
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    lines += chunk.split('\n').length - 1
    if (lines > sayings) child.kill('SIGKILL')
  })
  const [, signal] = await once(child, 'close')
  if (signal !== 'SIGKILL') throw new Error(`the program ended by itself: ${complaints}`)
  for (const line of text.split('\n').slice(0, -1)) {
    const [word, name = ''] = line.split(' ')
    if (word === 'begun' || word === 'stored' || word === 'done') said[word].push(name)
  }
}

/** The stages of each action in all files of a trail, in their order. */
function stagesOf(path: string): Map<string, string[]> {
  const stages = new Map<string, string[]>()
  const folder = dirname(path)
  // Archives are named by their time.
  const files = readdirSync(folder).filter((name) => /^audit.*\.log$/.test(name))
  const sorted = [...files.filter((name) => name !== 'audit.log').sort(), 'audit.log']
  for (const file of sorted) {
    for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
      if (line === '') continue
      const { payload }: TrailEvent = JSON.parse(line)
      if (payload.type !== 'action') continue
      const all = stages.get(payload.action) ?? []
      stages.set(payload.action, [...all, payload.stage ?? 'event'])
    }
  }
  return stages
}
