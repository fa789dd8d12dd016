import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MODE_VARIABLE, type Mode } from './modes.js'
import type { Outcome } from './reporter.js'
import { MODULES, type TestFile } from './suites.js'

/** What is loaded into a test process: built from the files of the same names here. */
export interface Built {
  readonly preload: string
  readonly reporter: string
}

/** The name under which the process itself is listed beside the tests of its file. */
export const PROCESS = '(the process)'

/** How long one file may take: its tests wait for sockets, and for timeouts of a few seconds. */
const TIME_LIMIT = 60_000

/** Runs one test file in a process of its own; outcomes by name, that of the process among them. */
export async function runFile(file: TestFile, mode: Mode, built: Built): Promise<Map<string, Outcome>> {
  const directory = mkdtempSync(join(tmpdir(), 'compat-'))
  try {
    const results = join(directory, 'outcomes')
    const ended = await runProcess(file, mode, built, results)
    const outcomes = parse(readFileSync(results, { encoding: 'utf8', flag: 'a+' }))
    // Failing tests end the process with 1 as well, and are listed by themselves.
    const failed = outcomes.some(({ passed }) => !passed)
    outcomes.push({ name: PROCESS, passed: ended === '' || (failed && ended.startsWith('exit code 1')), error: ended })
    return new Map(outcomes.map((outcome) => [outcome.name, outcome]))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** How the process ended, when not with 0: its exit code or signal, and the last that it said. */
function runProcess(file: TestFile, mode: Mode, built: Built, results: string): Promise<string> {
  const options = ['--disable-warning=ExperimentalWarning', '--require', built.preload]
  const reporter = ['--test-reporter', built.reporter, '--test-reporter-destination', results]
  const child = spawn(process.execPath, [...options, ...reporter, join(MODULES, file.name)], {
    cwd: file.home,
    env: { ...withoutTestRunner(process.env), [MODE_VARIABLE]: mode },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what the tests start ends with it.
    detached: true,
  })
  const said: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => keepLast(said, chunk))
  child.stderr.on('data', (chunk: Buffer) => keepLast(said, chunk))
  let overdue = false
  const timer = setTimeout(() => {
    overdue = true
    endGroup(child.pid)
  }, TIME_LIMIT)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      endGroup(child.pid)
      const how = overdue ? `not done after ${TIME_LIMIT / 1000} s` : `exit code ${code ?? signal}`
      resolve(code === 0 ? '' : `${how}: ${Buffer.concat(said).toString().slice(-500)}`)
    })
  })
}

function keepLast(chunks: Buffer[], chunk: Buffer): void {
  chunks.push(chunk)
  if (chunks.length > 20) chunks.shift()
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** The environment, without what test runners tell their children: tests run as if by hand. */
function withoutTestRunner(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, FORCE_COLOR: _color, ...others } = env
  return others
}

function parse(lines: string): Outcome[] {
  // A process that was ended may leave half a line.
  const whole = lines.slice(0, lines.lastIndexOf('\n') + 1)
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Outcome => JSON.parse(line))
}
