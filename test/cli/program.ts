import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { compiled } from '../support/process/compiled.js'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** The end of a command, and its output. */
export interface Ended {
  code: number | null
  signal: string | null
  stdout: string
  stderr: string
}

export interface Program {
  /** The path of the compiled command line. */
  path: string
  run(...args: string[]): Promise<Ended>
  start(...args: string[]): Running
}

/** The command line as users have it: compiled, once for the tests of a file, and in a process of its own. */
export async function program(): Promise<Program> {
  const path = await compiled(MAIN)
  return {
    path,
    run: (...args) => execute(process.execPath, [path, ...args]),
    start: (...args) => new Running(path, args),
  }
}

/** Runs a program to its end. */
export function execute(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, NO_COLOR: '', ...env }, maxBuffer: 64 * 1024 * 1024 }
    const child = execFile(command, args, options, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr })
    })
    child.stdin?.end()
  })
}

/** A command that goes on until it is ended. */
export class Running {
  private stdout = ''
  private stderr = ''
  private readonly child: ChildProcess
  private wake = (): void => undefined

  constructor(path: string, args: readonly string[]) {
    this.child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    onTestFinished(() => void this.child.kill('SIGKILL'))
    this.child.stdout?.on('data', (text) => {
      this.stdout += text
      this.wake()
    })
    this.child.stderr?.on('data', (text) => {
      this.stderr += text
    })
  }

  /** Resolves with the lines of its output when there are at least `count`. */
  async lines(count: number): Promise<string[]> {
    for (;;) {
      const lines = this.stdout.split('\n').slice(0, -1)
      if (lines.length >= count) return lines
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }

  async end(signal: NodeJS.Signals): Promise<Ended> {
    const closed = once(this.child, 'close')
    this.child.kill(signal)
    await closed
    return { code: this.child.exitCode, signal: this.child.signalCode, stdout: this.stdout, stderr: this.stderr }
  }
}
