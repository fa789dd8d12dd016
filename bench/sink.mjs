// @ts-check
/** One contender of `bench/sink.ts`: `node bench/sink.mjs DIRECTORY NAME`. Answers each message with the results of a slice of writing. */
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import { createStream } from 'rotating-file-stream'
import { lineOf, openLane } from './support/lane.mjs'
import { serve, write } from './support/writers.mjs'

const [directory = '.', name = ''] = process.argv.slice(2)
const WRITERS = 256
const BYTES = 600
/** The most that a file grows to: beyond it, the disk would be measured. */
const FILE_MEGABYTES = 256
const FILE_BYTES = FILE_MEGABYTES * 2 ** 20

const { head, tail } = lineOf(BYTES)
let seq = 0
const nextLine = () => `${head}${++seq}${tail}\n`

/** @type {Record<string, () => Promise<(milliseconds: number) => Promise<import('./support/writers.mjs').Written>>>} */
const CONTENDERS = {
  'rotating-file-stream': rotatingFileStream,
  'rotating-file-stream again': rotatingFileStream,
  'sonic-boom sync': sonicBoom,
  'file sink': () => fileSink(false),
  'file sink, fsync': () => fileSink(true),
}

async function rotatingFileStream() {
  const stream = createStream('stream.log', { path: directory, size: `${FILE_MEGABYTES}M`, maxFiles: 1 })
  stream.on('error', fail)
  return /** @param {number} milliseconds */ (milliseconds) =>
    write(WRITERS, milliseconds, (stored) => {
      stream.write(nextLine(), (error) => (error ? fail(error) : stored()))
    })
}

/** The stream behind pino. The system has the line when `write` returns; its writers go on in the next turn. */
async function sonicBoom() {
  const path = join(directory, 'boom.log')
  const boom = pino.destination({ dest: path, sync: true })
  boom.on('error', fail)
  /** @type {Array<() => void>} */
  let answers = []
  const answer = () => {
    const due = answers
    answers = []
    for (const stored of due) stored()
  }
  let bytes = 0
  return /** @param {number} milliseconds */ async (milliseconds) => {
    const slice = await write(WRITERS, milliseconds, (stored) => {
      boom.write(nextLine())
      if (answers.push(stored) === 1) setImmediate(answer)
    })
    bytes += slice.entries * BYTES
    // It does not rotate.
    if (bytes > FILE_BYTES) {
      truncateSync(path)
      bytes = 0
    }
    return slice
  }
}

/** @param {boolean} fsync */
async function fileSink(fsync) {
  const options = { path: join(directory, 'audit.log'), rotateBytes: FILE_BYTES, rotateMaxFiles: 1, fsync }
  const lane = await openLane(options, BYTES)
  return /** @param {number} milliseconds */ (milliseconds) => write(WRITERS, milliseconds, lane.store)
}

/** @param {Error} error */
function fail(error) {
  throw error
}

const start = CONTENDERS[name]
if (start === undefined) throw new Error(`no contender is called ${name}`)
const run = await start()
serve(({ milliseconds }) => run(milliseconds))
