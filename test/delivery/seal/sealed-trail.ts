import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Fastify from 'fastify'
import audit, { type Checkpoint, type SealOptions } from '../../../src/index.js'
import { ArchiveNames } from '../../../src/sinks/file/names.js'

export const KEYS = generateKeyPairSync('ed25519')

/** A trail's files in their order, the active one last; each as its lines. */
export type Files = Array<{ name: string; lines: string[] }>

export interface WrittenTrail {
  files: Files
  checkpoints: Checkpoint[]
}

/** A line of the server's own log. */
export interface Logged {
  level: number
  msg: string
}

export interface WriteOptions extends SealOptions {
  rotateBytes?: number
  /** Takes the servers' log lines. */
  log?: Logged[]
}

/** Has the plugin write a trail into `directory`: one run of a server for each number, with that many requests. */
export async function writeTrail(
  directory: string,
  runs: readonly number[],
  { rotateBytes = 0, log = [], ...seal }: WriteOptions = {},
): Promise<WrittenTrail> {
  const checkpoints: Checkpoint[] = []
  for (const requests of runs) {
    const app = Fastify({ logger: { stream: { write: (line: string) => void log.push(JSON.parse(line)) } } })
    const signed =
      seal.privateKey === undefined ? seal : { ...seal, onCheckpoint: (one: Checkpoint) => void checkpoints.push(one) }
    await app.register(audit, {
      sinks: [{ name: 'audit', type: 'file', path: join(directory, 'audit.log'), rotateBytes, seal: signed }],
    })
    app.get('/jobs/:id', async () => [])
    for (let request = 0; request < requests; request++) await app.inject(`/jobs/${request}`)
    await app.close()
  }
  return { files: readTrailFiles(directory), checkpoints }
}

export function readTrailFiles(directory: string): Files {
  const names = new ArchiveNames(join(directory, 'audit.log'))
  const archives = names.among(readdirSync(directory)).map(({ name }) => name)
  return [...archives, 'audit.log'].map((name) => ({
    name,
    lines: readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1),
  }))
}

export function writeFiles(directory: string, files: Files): string {
  mkdirSync(directory, { recursive: true })
  for (const { name, lines } of files) writeFileSync(join(directory, name), lines.map((line) => `${line}\n`).join(''))
  return join(directory, 'audit.log')
}
