// @ts-check
/**
 * One contender of `bench/archives.ts`, which answers each message with one measurement:
 * `node bench/archives.mjs DIRECTORY size BYTES` with a slice of writing entries of that size,
 * `node bench/archives.mjs DIRECTORY archives COUNT MAX_FILES` with lives of a file beside that many archives.
 */
import { closeSync, linkSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileSink } from './.modules/sinks/file/file-sink.js'
import { ArchiveNames } from './.modules/sinks/file/names.js'
import { FILE, LOG, lineOf, openLane } from './support/lane.mjs'
import { serve, write } from './support/writers.mjs'

const [directory = '.', kind, first, second] = process.argv.slice(2)
const path = join(directory, 'audit.log')

const WRITERS = 64
/** The most that a file grows to: beyond it, the disk would be measured. */
const FILE_BYTES = 64 * 2 ** 20

const ARCHIVE_BYTES = 100 * 2 ** 20
const HOUR = 3_600_000
const { head, tail } = lineOf(600)
const LINE = `${head}0000001${tail}`
const entry = {
  line: LINE,
  /** @returns {never} */
  get event() {
    throw new Error('the file sink stores lines')
  },
}

if (kind === 'size') await serveSlices(Number(first))
else serveLives(Number(first), Number(second))

/** @param {number} bytes */
async function serveSlices(bytes) {
  const lane = await openLane({ path, rotateBytes: FILE_BYTES, rotateMaxFiles: 1 }, bytes)
  serve(({ milliseconds }) => write(WRITERS, milliseconds, lane.store))
}

/**
 * @param {number} count
 * @param {number} rotateMaxFiles
 */
function serveLives(count, rotateMaxFiles) {
  const names = new ArchiveNames(path)
  const begun = Date.now() - count * HOUR
  const archives = Array.from({ length: count }, (_, number) => names.path(names.name(begun + number * HOUR, 0)))
  const [oldest, ...others] = archives
  if (oldest !== undefined) fill(oldest)
  // Links all names to one file: thousands of files would slow the file system down for minutes, even after deletion.
  for (const other of others) linkSync(oldest, other)
  serve(({ lives }) => live(lives, { ...FILE, path, rotateBytes: 1, rotateMaxFiles }))
}

/**
 * Makes an archive of the usual length that ends in a line, as a sealed trail needs it. The rest is a hole.
 *
 * @param {string} archive
 */
function fill(archive) {
  const fd = openSync(archive, 'wx')
  writeSync(fd, `\n${LINE}\n`, ARCHIVE_BYTES)
  closeSync(fd)
}

/**
 * Takes the median of `count` lives of a sink.
 *
 * @param {number} count
 * @param {import('../src/sinks/file/file-sink.js').FileSinkOptions} options
 * @returns {Promise<import('./support/worker.js').Life>}
 */
async function live(count, options) {
  /** @type {Array<import('./support/worker.js').Life>} */
  const lives = []
  for (let number = 0; number < count; number++) {
    // One after the other: otherwise the rotation would pay for the garbage of listing a directory.
    lives.push({ ...(await writeOnce(options)), tail: await readTail(options) })
  }
  /** @param {keyof import('./support/worker.js').Life} what */
  const median = (what) =>
    lives.map((life) => life[what]).toSorted((a, b) => a - b)[Math.floor(count / 2)] ?? Number.NaN
  return { boot: median('boot'), tail: median('tail'), rotation: median('rotation'), look: median('look') }
}

/**
 * Runs a sink from boot to shutdown, and removes its archives again.
 *
 * @param {import('../src/sinks/file/file-sink.js').FileSinkOptions} options
 */
async function writeOnce(options) {
  /** @type {string[]} */
  const archives = []
  const sink = fileSink(options)
  const boot = await timed(() => sink.open?.(contextOf((archive) => archives.push(archive))))
  await sink.write([entry])
  const rotation = await timed(() => sink.write([entry]))
  const look = await timed(() => sink.idle?.())
  await sink.close?.()
  if (archives.length !== 1) throw new Error(`${archives.length} rotations instead of one`)
  for (const name of [...archives, 'audit.log']) rmSync(join(directory, name))
  return { boot, rotation, look }
}

/**
 * Returns the last line of the newest archive.
 *
 * @param {import('../src/sinks/file/file-sink.js').FileSinkOptions} options
 */
async function readTail(options) {
  const sink = fileSink(options)
  await sink.open?.(contextOf(() => undefined))
  const tail = await timed(() => sink.tail?.())
  await sink.close?.()
  rmSync(path)
  return tail
}

/**
 * @param {(archive: string) => void} rotated
 * @returns {import('../src/sinks/sink.js').SinkContext}
 */
function contextOf(rotated) {
  return {
    name: 'audit',
    log: LOG,
    record: (_type, details) => rotated('archive' in details ? details.archive : ''),
    doubt: () => undefined,
  }
}

/** @param {() => Promise<unknown> | undefined} call */
async function timed(call) {
  const begun = performance.now()
  await call()
  return performance.now() - begun
}
