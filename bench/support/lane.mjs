// @ts-check
/**
 * The file sink behind its lane, without a server. The package has no entry for that, so its modules are compiled into
 * `bench/.modules` by the scripts that need them.
 */
import { Delivery } from '../.modules/delivery/delivery.js'
import { Entry } from '../.modules/delivery/entry.js'
import { Draft, jsonFormat } from '../.modules/event/draft.js'
import { fileSink } from '../.modules/sinks/file/file-sink.js'

const HEAD = '{"created_at":"2026-03-24T17:09:35.704Z","event_type":"audit","seq":'
/** Digits of most of a benchmark's numbers. */
const SEQ = 7

/** Throws: nothing that is logged may happen in a benchmark. */
export const LOG = {
  info: () => undefined,
  warn: console.error,
  error: console.error,
}

/** @type {import('../../src/sinks/file/file-sink.js').FileSinkOptions} */
export const FILE = {
  path: '',
  mode: 0o600,
  dirMode: 0o700,
  rotateBytes: 0,
  rotateDuration: 0,
  rotateMaxFiles: 0,
  rotateMaxAge: 0,
  rotateMinAge: 0,
  fsync: false,
  lockTimeout: 0,
}

/**
 * What stands before and behind the `seq` of a line that has this many bytes with its ending.
 *
 * @param {number} bytes
 */
export function lineOf(bytes) {
  const filling = bytes - HEAD.length - SEQ - ',"payload":""}\n'.length
  return { head: HEAD, tail: `,"payload":"${'x'.repeat(filling)}"}` }
}

/**
 * Opens a lane that stores entries of `bytes` bytes in a file; its `store` offers one, and calls back when it is stored.
 *
 * @param {Partial<typeof FILE>} options
 * @param {number} bytes
 */
export async function openLane(options, bytes) {
  const lane = new Delivery(fileSink({ ...FILE, ...options }), {
    name: 'audit',
    enforced: true,
    format: jsonFormat,
    timeout: 10_000,
    maxQueue: 10_000,
    maxQueueBytes: 64 * 1024 * 1024,
    log: LOG,
    lifecycle: (type) => new Draft(HEAD, `,"payload":{"type":"${type}"}}`, true),
  })
  await lane.open(10_000)
  const { head, tail } = lineOf(bytes)
  let answer = () => {}
  const waiter = {
    /** @param {Entry} entry */
    settled(entry) {
      if (entry.fate !== 'stored') throw new Error(`an entry is ${entry.fate}`)
      answer()
    },
    resolved() {},
  }
  return {
    /** @param {() => void} stored The same for all entries that are under way. */
    store(stored) {
      answer = stored
      if (!lane.offer(new Entry(new Draft(head, tail, true), lane, waiter, false))) throw new Error('the queue is full')
    },
  }
}
