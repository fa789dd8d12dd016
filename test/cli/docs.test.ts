import { describe, expect, it } from 'vitest'
import { parseArguments } from '../../src/cli/arguments.js'
import type { Command } from '../../src/cli/command.js'
import { CSV_HEADER } from '../../src/cli/csv.js'
import { spelling } from '../../src/cli/help.js'
import { query } from '../../src/cli/query.js'
import { stats } from '../../src/cli/stats.js'
import { tail } from '../../src/cli/tail.js'
import { verify } from '../../src/cli/verify.js'
import { read } from '../support/markdown.js'

const COMMANDS: readonly Command[] = [query, tail, stats, verify]
const page = read('docs/command-line.md')

function section(name: string): string {
  return page.split(/^## /m).find((part) => part.startsWith(`${name}\n`)) ?? ''
}

describe('docs/command-line.md', () => {
  it.each(COMMANDS)('has every option of $name as the parser has it, and no other', ({ name, options }) => {
    const documented = [...section(name).matchAll(/^\| `(-[^`]+)` \|/gm)].map(([, option]) => option)
    expect(documented).toEqual(Object.entries(options).map(([key, option]) => spelling(key, option)))
  })

  it.each(COMMANDS)('says which options of $name are repeatable', ({ name, options }) => {
    if (name !== 'query' && name !== 'verify') return
    const documented = [...section(name).matchAll(/^\| `--([\w-]+)[^`]*` \|.*Repeatable/gm)].map(([, option]) => option)
    const repeatable = Object.entries(options).filter(([, { multiple }]) => multiple === true)
    expect(documented).toEqual(repeatable.map(([key]) => key))
  })

  it('has the columns of CSV, in their order', () => {
    const columns = /has a header and the columns ([^.]+)\./.exec(section('query'))?.[1] ?? ''
    expect([...columns.matchAll(/`(\w+)`/g)].map(([, column]) => column)).toEqual(CSV_HEADER.split(','))
  })

  it('shows command lines that are understood, as the help does', () => {
    const shown = [...page.matchAll(/^npx fastify-audit-log (\w+) (.*)$/gm)].map(([, name, rest = '']) => ({
      name,
      rest,
    }))
    const helped = COMMANDS.flatMap(({ examples }) => examples.map(({ line }) => line)).map((line) => {
      const [name, ...rest] = line.split(' ')
      return { name, rest: rest.join(' ') }
    })
    expect(shown.length).toBeGreaterThan(5)
    for (const { name, rest } of [...shown, ...helped]) {
      const command = COMMANDS.find((known) => known.name === name)
      const args = rest.replace(/ [|>].*$/, '').split(' ')
      expect(parseArguments(args, command?.options ?? {}).paths).not.toEqual([])
    }
  })
})
