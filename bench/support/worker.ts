import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onMeasuredCore } from './cores.js'

/** The work of the writers of `writers.mjs` in one slice. */
export interface Written {
  entries: number
  milliseconds: number
  /** CPU time of all threads, in microseconds. */
  cpu: number
}

/** The durations of a file sink's calls beside archives, in milliseconds. */
export interface Life {
  boot: number
  /** `tail`, which a sealed trail calls at boot: of an empty file here, so of the newest archive. */
  tail: number
  /** A write that begins with a rotation. */
  rotation: number
  /** An `idle` right after a rotation, in which retention is due if it is on. */
  look: number
}

/** A script of the benchmarks that runs on the measured core, in a directory of its own, and answers each message. */
export class Worker<Answer> {
  private constructor(
    private readonly child: ChildProcess,
    private readonly directory: string,
  ) {}

  /** Starts `bench/SCRIPT DIRECTORY ...args`; its first message says that it is ready. */
  static async start<Answer>(script: string, args: readonly string[]): Promise<Worker<Answer>> {
    const directory = await mkdtemp(join(tmpdir(), 'audit-bench-'))
    const path = fileURLToPath(new URL(`../${script}`, import.meta.url))
    const [command, all] = onMeasuredCore([path, directory, ...args])
    const child = spawn(command, all, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    await answerOf(child)
    return new Worker<Answer>(child, directory)
  }

  ask(question: object): Promise<Answer> {
    const answer = answerOf<Answer>(this.child)
    this.child.send(question)
    return answer
  }

  /** Ends the process and removes what it has written. */
  async stop(): Promise<void> {
    if (this.child.connected) {
      this.child.disconnect()
      await once(this.child, 'exit')
    }
    await rm(this.directory, { recursive: true, force: true })
  }
}

async function answerOf<Answer>(child: ChildProcess): Promise<Answer> {
  const ended = new AbortController()
  const fail = (code: number | null) => ended.abort(new Error(`the process ended by itself, with code ${code}`))
  child.once('exit', fail)
  try {
    const [answer] = await once(child, 'message', { signal: ended.signal })
    return answer
  } finally {
    child.off('exit', fail)
  }
}

/** Collects the answers of every contender, in their order. Each round asks all, and begins with another one. */
export async function inTurns<Answer>(
  script: string,
  contenders: ReadonlyMap<string, readonly string[]>,
  { rounds, warmUp, question }: { rounds: number; warmUp: object; question: object },
): Promise<Map<string, Answer[]>> {
  const answers = new Map<string, Answer[]>()
  const turns: { worker: Worker<Answer>; of: Answer[] }[] = []
  try {
    for (const [name, args] of contenders) {
      const turn = { worker: await Worker.start<Answer>(script, args), of: [] }
      turns.push(turn)
      answers.set(name, turn.of)
    }
    for (const { worker } of turns) await worker.ask(warmUp)
    for (let round = 0; round < rounds; round++) {
      process.stderr.write(`\rround ${round + 1} of ${rounds} `)
      const first = round % turns.length
      for (const { worker, of } of [...turns.slice(first), ...turns.slice(0, first)])
        of.push(await worker.ask(question))
    }
  } finally {
    process.stderr.write('\n')
    for (const { worker } of turns) await worker.stop()
  }
  return answers
}
