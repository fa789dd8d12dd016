import { writeSync } from 'node:fs'
import { fileSink } from '../../../src/sinks/file/file-sink.js'

// Writes numbered entries until it is killed, and prints a number when its entry was acknowledged.

const [path = '', from = '0', fsync = ''] = process.argv.slice(2)
const sink = fileSink({
  path,
  mode: 0o600,
  dirMode: 0o700,
  rotateBytes: 3000,
  rotateDuration: 0,
  rotateMaxFiles: 0,
  rotateMaxAge: 0,
  rotateMinAge: 0,
  fsync: fsync === 'fsync',
  lockTimeout: 0,
})
const log = (): void => undefined
await sink.open?.({
  name: 'audit',
  log: { info: log, warn: log, error: log },
  record: () => undefined,
  doubt: () => undefined,
})

for (let next = Number(from); ; ) {
  const count = 1 + (next % 7)
  const batch = Array.from({ length: count }, (_, index) => {
    const line = JSON.stringify({ number: next + index, filler: 'x'.repeat((next * 31) % 400) })
    return {
      line,
      get event(): never {
        throw new Error('the file sink stores lines')
      },
    }
  })
  await sink.write(batch)
  next += count
  writeSync(1, `${next - 1}\n`)
}
