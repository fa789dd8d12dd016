import { mkdirSync, mkdtempSync, renameSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import Fastify from 'fastify'
import pino from 'pino'
import { describe, expect, it } from 'vitest'
import audit, { memorySink } from '../../src/index.js'
import { codeBlocks, read, sources } from '../support/markdown.js'

const DOCUMENT = 'docs/operations.md'

/** The parts under the headings of a level. */
function parts(text: string, level: string): Array<{ heading: string; text: string }> {
  return text
    .split(new RegExp(`^${level} (?=\\S)`, 'm'))
    .slice(1)
    .map((part) => ({ heading: part.slice(0, part.indexOf('\n')), text: part }))
}

/** The first two cells of a table's row by the first one, which may be in backticks. */
function cell(text: string, row: string): string {
  return text.split('\n').find((line) => line.startsWith(`| ${row} |`)) ?? ''
}

const sections = parts(read(DOCUMENT), '##')
const section = (heading: string): string => sections.find((one) => one.heading === heading)?.text ?? ''
const faults = parts(section('When something goes wrong'), '###')

describe('each fault', () => {
  it('is there', () => {
    expect(faults.map(({ heading }) => heading)).toEqual([
      'A full disk',
      'A hung mount',
      'A rename from outside',
      'copytruncate',
      'A deleted file or directory',
      'A crash',
      'Power loss',
      'A second process',
      'A wrong clock',
    ])
  })

  it.each(faults.map(({ heading, text }) => [heading, text]))('says of "%s" the same in the same order', (_, text) => {
    const layout = [...(text ?? '').matchAll(/^(?:\*\*(.+?)\.\*\*|\| ([^|]+?) \|)/gm)].map(
      ([, bold, row]) => bold ?? row,
    )
    expect(layout).toEqual([
      'What happens',
      'seen in',
      '---',
      'clients',
      'the log',
      'counters',
      '`app.audit.healthy`',
      'the trail',
      'What to do',
    ])
  })
})

/** Texts of the sources: `${…}` in a template stands for anything. */
const literals = sources()
  .map(read)
  .flatMap((source) => [...source.matchAll(/'((?:[^'\\\n]|\\.)+)'|`((?:[^`\\]|\\.)+)`/g)])
  .map(([, text, template]) => ({ text, template: template?.split(/\$\{[^}]*\}/) }))

/** Whether the sources have a text, or the template and the texts that make it up. */
function isInSources(message: string): boolean {
  return literals.some(({ text, template }) => {
    if (template === undefined) return text === message
    // A template of nothing but other texts would take anything.
    if (template.join('').trim().length < 10) return false
    const pattern = template.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('(.+)')
    const found = new RegExp(`^${pattern}$`).exec(message)
    // A name may be anything, a sentence is in the sources itself.
    return found?.slice(1).every((value) => !value.includes(' ') || isInSources(value)) ?? false
  })
}

describe('the log lines that it quotes', () => {
  const quoted = [
    ...read(DOCUMENT)
      .replaceAll(/\s+/g, ' ')
      .matchAll(/\b(error|warn|info) `([^`]* [^`]*)`/g),
  ]
  const lines = new Set(quoted.map(([, level = '', message = '']) => `${level} ${message}`))

  it('are found', () => {
    expect(lines.size).toBeGreaterThan(10)
    expect(isInSources('audit sink "audit" fails: requests are refused until it works')).toBe(false)
    expect(isInSources('the audit file was eaten by somebody else; what is at its path is used from now on')).toBe(
      false,
    )
    expect(isInSources('audit sink "audit" sleeps')).toBe(false)
  })

  it.each([...lines])('are what the code logs: %s', (line) => {
    expect(isInSources(line.slice(line.indexOf(' ') + 1))).toBe(true)
  })

  it.concurrent.for<[string, (path: string) => void, string[]]>([
    [
      'renamed',
      (path) => renameSync(path, `${path}.1`),
      ['warn the audit file was moved away by somebody else; what is at its path is used from now on'],
    ],
    [
      'replaced',
      (path) => {
        renameSync(path, `${path}.1`)
        writeFileSync(path, '')
      },
      ['warn the audit file was replaced by somebody else; what is at its path is used from now on'],
    ],
    [
      'truncated',
      (path) => truncateSync(path),
      ['error the audit file was changed by somebody else; it is written to where it ends now'],
    ],
    [
      'deleted with its directory',
      (path) => rmSync(dirname(path), { recursive: true }),
      [
        'error the lock of the audit file was taken by another process, or removed',
        'error the audit file was deleted by somebody else; these entries, stored since it was last seen, went with it',
        'error audit sink "audit" closed with entries not stored',
      ],
    ],
    [
      'in the way of a directory',
      (path) => {
        unlinkSync(path)
        mkdirSync(path)
      },
      ['error audit sink "audit" fails: requests are refused until it works again'],
    ],
  ])(
    'have the level that they are logged with, as when the file is %s',
    async ([_, act, expected], { expect, onTestFinished }) => {
      const folder = mkdtempSync(join(tmpdir(), 'audit-operations-'))
      onTestFinished(() => rmSync(folder, { recursive: true }))
      const path = join(folder, 'audit', 'audit.log')
      mkdirSync(dirname(path))
      writeFileSync(path, '{"torn":')
      const logged: string[] = []
      const write = (line: string): void => {
        const { level, msg } = JSON.parse(line)
        logged.push(`${pino.levels.labels[level]} ${msg}`)
      }
      const app = Fastify({ logger: { stream: { write } } })
      await app.register(audit, { sinks: [{ name: 'audit', type: 'file', path }] })
      await app.inject('/')
      act(path)
      const all = ['warn the audit file ended in a torn line, which was set aside', ...expected]
      await expect.poll(() => logged).toContain(expected[0])
      await app.close()
      expect(all.filter((line) => !logged.includes(line))).toEqual([])
      expect(all.filter((line) => !lines.has(line))).toEqual([])
    },
  )
})

describe('the counters that it names', async () => {
  const app = Fastify()
  await app.register(audit, { sinks: [{ name: 'memory', sink: memorySink() }] })
  const { sinks, ...counts } = app.audit.stats()
  const own = Object.keys(counts)
  const ofSinks = Object.keys(sinks.memory ?? {})
  await app.close()

  it.each(faults.map(({ heading, text }) => [heading, text]))('for "%s" are those of stats()', (_, text) => {
    const named = [...cell(text ?? '', 'counters').matchAll(/`(\w+)`/g)].map(([, name = '']) => name)
    expect(named.filter((name) => !['instance', ...own, ...ofSinks].includes(name))).toEqual([])
  })

  it('to alert on are those of stats(), all but those that say nothing by themselves', () => {
    const rows = [...section('What to alert on').matchAll(/^\| (`[^|]+`) \| ([^|]+) \| [^|]+ \|$/gm)]
    const named = rows.flatMap(([, names = '']) => names.split(', ').map((name) => name.slice(1, -1)))
    const plain = ['audited', 'aborted', 'ended', 'actions']
    const plainOfSinks = ['offered', 'stored', 'batches']
    expect([...named, ...plain, ...plainOfSinks.map((name) => `sinks.*.${name}`)].sort()).toEqual(
      [...own, ...ofSinks.map((name) => `sinks.*.${name}`)].sort(),
    )
  })
})

it('shows how to feed a metrics library with what the channel publishes', () => {
  const shown = codeBlocks(DOCUMENT).filter(({ language, text }) => language === 'ts' && text.includes('StatsMessage'))
  expect(shown.map(({ text }) => text.includes("subscribe('fastify-audit-log:stats'"))).toEqual([true])
  expect(read('src/plugin/stats-channel.ts')).toContain("channel('fastify-audit-log:stats')")
})
