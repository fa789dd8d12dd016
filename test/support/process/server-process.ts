import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import type { Measure, Order, ServerSettings, Told } from './server-main.js'

/** The end of a process. */
export interface Ending {
  code: number | null
  signal: NodeJS.Signals | null
}

/** An audited server in a process of its own, which does not outlive its test. */
export class ServerProcess {
  readonly ended: Promise<Ending>
  /** Its standard error. */
  complaints = ''
  private readonly child: ChildProcess
  private readonly told: Told = {}
  private waiting: Array<() => void> = []
  private hasEnded = false

  constructor(program: string, settings: ServerSettings, flags: readonly string[] = []) {
    const args = [...flags, program, JSON.stringify(settings)]
    this.child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    onTestFinished(() => void this.child.kill('SIGKILL'))
    this.child.stderr?.on('data', (text) => {
      this.complaints += text
    })
    this.child.on('message', (told: Told) => {
      Object.assign(this.told, told)
      this.wake()
    })
    // An order to a server that has just died.
    this.child.on('error', () => undefined)
    this.ended = once(this.child, 'exit').then(([code, signal]) => {
      this.hasEnded = true
      this.wake()
      return { code, signal }
    })
  }

  async loaded(): Promise<void> {
    await this.tells('loaded')
  }

  /** Has it open its trail and listen; resolves with its port, or with undefined when it ended before. */
  open(): Promise<number | undefined> {
    this.order('open')
    return this.tells('port')
  }

  async measured(): Promise<Measure> {
    delete this.told.measured
    this.order('measure')
    const measure = await this.tells('measured')
    if (measure === undefined) throw new Error('the server ended before it measured itself')
    return measure
  }

  order(order: Order): void {
    this.child.send(order)
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  private async tells<Key extends keyof Told>(key: Key): Promise<Told[Key]> {
    while (this.told[key] === undefined && !this.hasEnded) {
      await new Promise<void>((resolve) => this.waiting.push(resolve))
    }
    return this.told[key]
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve()
  }
}
