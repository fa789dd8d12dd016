import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const MAIN = fileURLToPath(new URL('./holder-main.ts', import.meta.url))

/** The command that starts a holder of the file at `path`. */
export function holderCommand(path: string): string[] {
  return [process.execPath, '--import', 'tsx', MAIN, path]
}

/** What a holder answered: the path that it holds, or why it does not. */
export interface Said {
  pid?: number
  path?: string
  code?: string
  message?: string
}

/** A file sink in a process of its own, which does not outlive its test. */
export class Holder {
  private readonly child: ChildProcess
  private readonly ended: Promise<unknown>
  private readonly lines: AsyncIterator<string>

  private constructor(command: readonly string[]) {
    const [program = '', ...args] = command
    this.child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.ended = once(this.child, 'exit')
    onTestFinished(() => this.kill())
    if (this.child.stdout === null) throw new Error('the holder has no output')
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]()
    // One that was killed cannot be told anything.
    this.child.stdin?.on('error', () => undefined)
  }

  /** Starts one that knows its path and has done nothing yet; `through` runs the command, in a namespace for example. */
  static async start(path: string, through: readonly string[] = []): Promise<Holder & { pid: number }> {
    const holder = new Holder([...through, ...holderCommand(path)])
    const { pid } = await holder.said()
    if (pid === undefined) throw new Error('the holder did not start')
    return Object.assign(holder, { pid })
  }

  /** Tries to open the file; waits `lockTimeout` milliseconds at most for another holder. */
  open(lockTimeout = 0): Promise<Said> {
    return this.tell(`open ${lockTimeout}`)
  }

  write(text: string): Promise<Said> {
    return this.tell(`write ${text}`)
  }

  close(): Promise<Said> {
    return this.tell('close')
  }

  /** Resolves when it is gone. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.ended
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.child.pid ?? 0, signal)
  }

  private async tell(order: string): Promise<Said> {
    this.child.stdin?.write(`${order}\n`)
    return this.said()
  }

  /** Nothing at all when it has ended. */
  private async said(): Promise<Said> {
    const { value, done } = await this.lines.next()
    return done ? {} : JSON.parse(value)
  }
}
