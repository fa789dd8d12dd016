import { Writable } from 'node:stream'
import { WriteStream } from 'node:tty'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ProgressLine } from '../../src/cli/progress.js'

vi.mock('../../src/clock.js', () => import('../support/current-clock.js'))

/** Standard error, as a terminal or not. */
function stream(isTTY: boolean): { written: string[]; stderr: NodeJS.WriteStream } {
  const written: string[] = []
  const writable = new Writable({
    write(chunk, _, callback) {
      written.push(String(chunk))
      callback()
    },
  })
  return {
    written,
    stderr: Object.assign(Object.create(WriteStream.prototype), { write: writable.write.bind(writable), isTTY }),
  }
}

describe('progress', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  it('is shown on a terminal when it takes long, and gone when it is over', () => {
    const { written, stderr } = stream(true)
    const progress = new ProgressLine(stderr)
    progress.start(() => ({ read: 30, total: 90 }))
    vi.advanceTimersByTime(900)
    expect(written).toEqual([])
    vi.advanceTimersByTime(200)
    expect(written).toEqual(['\r\u001b[Kreading: 33 %'])
    progress.clear()
    progress.stop()
    vi.advanceTimersByTime(5000)
    expect(written.slice(1)).toEqual(['\r\u001b[K'])
    expect(process.listenerCount('SIGINT')).toBe(0)
  })

  it('is shown nowhere else', () => {
    const { written, stderr } = stream(false)
    const progress = new ProgressLine(stderr)
    progress.start(() => ({ read: 30, total: 90 }))
    vi.advanceTimersByTime(5000)
    progress.stop()
    expect(written).toEqual([])
  })
})
