import { clearInterval, monotonicNow, setInterval } from '../clock.js'
import type { Progress } from './command.js'

const INTERVAL = 200
/** Shorter work shows no progress. */
const DELAY = 1000
const CLEAR = '\r\u001b[K'

/** Shows on standard error, if it is a terminal, how much is read. */
export class ProgressLine implements Progress {
  private timer: NodeJS.Timeout | undefined
  private isShown = false

  constructor(private readonly stream: NodeJS.WriteStream) {}

  start(done: () => { read: number; total: number }): void {
    if (!this.stream.isTTY) return
    const begun = monotonicNow()
    this.timer = setInterval(() => {
      if (monotonicNow() - begun >= DELAY) this.show(done())
    }, INTERVAL).unref()
    process.once('SIGINT', this.interrupted)
  }

  stop(): void {
    clearInterval(this.timer)
    process.removeListener('SIGINT', this.interrupted)
    this.clear()
  }

  /** Removes the line, so that another can be printed. */
  readonly clear = (): void => {
    if (this.isShown) this.stream.write(CLEAR)
    this.isShown = false
  }

  private show({ read, total }: { read: number; total: number }): void {
    if (total === 0) return
    const percent = Math.min(100, Math.floor((100 * read) / total))
    this.stream.write(`${CLEAR}reading: ${percent} %`)
    this.isShown = true
  }

  /** Removes the line, then ends by the signal as usual. */
  private readonly interrupted = (): void => {
    this.clear()
    process.kill(process.pid, 'SIGINT')
  }
}
