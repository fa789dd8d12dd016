import { describe, expect, it } from 'vitest'
import { idOf, linesOf, trailOf } from '../reader/made.js'
import { type Ended, execute, program } from './program.js'

const cli = await program()
const COLUMNS = 100
/** Matches colours, the only escape sequences that may be left. */
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g')

/** Runs the command line as in a terminal. Rejects where there is no `script`, so that no machine skips these tests. */
function inTerminal(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Ended> {
  return inTerminalOf(COLUMNS, env, ...args)
}

async function inTerminalOf(columns: number, env: NodeJS.ProcessEnv, ...args: string[]): Promise<Ended> {
  const command = [process.execPath, cli.path, ...args].map((arg) => `'${arg}'`).join(' ')
  const sized = `stty cols ${columns} rows 24; ${command}`
  const options = process.platform === 'darwin' ? ['-q', '/dev/null', 'sh', '-c', sized] : ['-qec', sized, '/dev/null']
  const ended = await execute('script', options, { TERM: 'xterm', ...env })
  if (ended.code === null)
    throw new Error('this test needs `script`: apt-get install bsdutils (Debian), apk add util-linux-misc (Alpine)')
  return ended
}

describe('in a terminal', () => {
  const endpoint = `/x\u001b[2J\u202e${'漢字'.repeat(100)}\n2026 forged`
  const path = (): string =>
    trailOf([
      ...linesOf({ id: idOf(1), received: 0, completed: 1, status: 500, endpoint, name: 'n'.repeat(100) }),
      ...linesOf({ id: idOf(2), received: 0, completed: 1, status: 200, endpoint: '/short' }),
    ])

  it('shows a table in colours, a line each, whatever the trail holds', async () => {
    const { code, stdout } = await inTerminal({}, 'query', path())
    expect(code).toBe(0)
    const lines = stdout.replaceAll(COLOUR, '').trimEnd().split('\r\n')
    expect(lines).toHaveLength(3)
    expect(lines[1]).toMatch(/00000001 500 .* n{19}… GET +\/x\\u\{1b\}\[2J\\u\{202.*…$/)
    expect(lines[2]).toMatch(/00000002 200 .*\/short$/)
    expect(stdout).toMatch(COLOUR)
    expect(stdout.replaceAll(COLOUR, '')).not.toContain('\u001b')
    for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(COLUMNS)
  })

  it.each([80, 0])('shows what was asked in 80 columns, which a terminal has that says %i', async (columns) => {
    const { stdout } = await inTerminalOf(columns, {}, 'query', path())
    const lines = stdout.replaceAll(COLOUR, '').trimEnd().split('\r\n')
    expect(lines[1]).toMatch(/00000001 500 .* n{9}… GET +\/x\\u/)
    expect(lines[2]).toMatch(/\/short$/)
    for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(80)
  })

  it('shows no colours if NO_COLOR is set', async () => {
    const { stdout } = await inTerminal({ NO_COLOR: '1' }, 'query', path())
    expect(stdout).toContain('/short')
    expect(stdout).not.toContain('\u001b')
  })

  it('shows statistics within its width', async () => {
    const { code, stdout } = await inTerminal({}, 'stats', path())
    expect(code).toBe(0)
    for (const line of stdout.replaceAll(COLOUR, '').split('\r\n')) expect(columnsOf(line)).toBeLessThanOrEqual(COLUMNS)
  })
})

/** Chinese takes two each. */
function columnsOf(line: string): number {
  return Array.from(line).reduce((columns, character) => columns + (/[一-龥]/.test(character) ? 2 : 1), 0)
}
