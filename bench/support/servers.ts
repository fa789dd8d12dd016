import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onMeasuredCore } from './cores.js'

interface Answer {
  port: number
  cpu: number
}

/** A contender of `bench/server.mjs`, alive in a process of its own with a directory of its own. */
export class Server {
  readonly origin: string
  readonly #directory: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number, directory: string) {
    this.#child = child
    this.origin = `http://127.0.0.1:${port}`
    this.#directory = directory
  }

  static async start(name: string): Promise<Server> {
    const directory = await mkdtemp(join(tmpdir(), 'audit-bench-'))
    const script = fileURLToPath(new URL('../server.mjs', import.meta.url))
    const [command, args] = onMeasuredCore([script, name, directory])
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const { port } = await answerOf(child)
    return new Server(child, port, directory)
  }

  /** The CPU time that the process has used, all threads, in microseconds. */
  async cpu(): Promise<number> {
    const answer = answerOf(this.#child)
    this.#child.send('cpu')
    return (await answer).cpu
  }

  /** Ends the process and removes what it has written. */
  async stop(): Promise<void> {
    if (this.#child.connected) {
      this.#child.disconnect()
      await once(this.#child, 'exit')
    }
    await rm(this.#directory, { recursive: true, force: true })
  }
}

async function answerOf(child: ChildProcess): Promise<Answer> {
  const ended = new AbortController()
  const fail = (code: number | null) => ended.abort(new Error(`the server ended by itself, with code ${code}`))
  child.once('exit', fail)
  try {
    const [answer] = await once(child, 'message', { signal: ended.signal })
    return answer
  } finally {
    child.off('exit', fail)
  }
}
