import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onMeasuredCore } from './cores.js'

interface Answer {
  port: number
  cpu: number
}

/** A contender of `bench/server.mjs`, alive in a process of its own with a directory of its own. */
export class Server {
  readonly origin: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.origin = `http://127.0.0.1:${port}`
  }

  static async start(name: string): Promise<Server> {
    const script = fileURLToPath(new URL('../server.mjs', import.meta.url))
    const [command, args] = onMeasuredCore([script, name])
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const { port } = await answerOf(child)
    return new Server(child, port)
  }

  /** The CPU time that the process has used, all threads, in microseconds. */
  async cpu(): Promise<number> {
    return (await this.#ask('cpu')).cpu
  }

  /**
   * Makes it begin its file anew. Files that grow during a whole run measure the machine's memory: after they have filled
   * its free pages, another page can cost ten times as much.
   */
  async empty(): Promise<void> {
    await this.#ask('empty')
  }

  /** Ends the process, which removes what it has written. */
  async stop(): Promise<void> {
    if (!this.#child.connected) return
    this.#child.disconnect()
    await once(this.#child, 'exit')
  }

  #ask(question: 'cpu' | 'empty'): Promise<Answer> {
    const answer = answerOf(this.#child)
    this.#child.send(question)
    return answer
  }
}

function answerOf(child: ChildProcess): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (code: number | null) => reject(new Error(`a server ended by itself, with code ${code}`))
    child.once('exit', fail)
    child.once('message', (answer: Answer) => {
      child.off('exit', fail)
      resolve(answer)
    })
  })
}
