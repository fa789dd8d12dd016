import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { compile } from '../support/compile.js'
import { anchors, type CodeBlock, codeBlocks, documents, links, read, root, sources } from '../support/markdown.js'

const files = [...documents(), ...sources()]
const blocks = files.flatMap(codeBlocks).filter(({ language }) => language === 'ts')

/** A vocabulary is known to a whole program, so an example that declares one is a program of its own. */
const declaresVocabulary = ({ text }: CodeBlock): boolean => text.includes('interface AuditVocabulary')

const programs = [
  blocks.filter((block) => !declaresVocabulary(block)),
  ...blocks.filter(declaresVocabulary).map((block) => [block]),
]

/** As many lines down as in its document, so that a message names the line there. */
const inPlace = ({ line, text }: CodeBlock): string => `${'\n'.repeat(line - 1)}${text}`

describe('every example', () => {
  const mistakes = new Map<CodeBlock, readonly string[]>()

  beforeAll(async () => {
    for (const program of programs) {
      const found = await compile(program.map(inPlace))
      for (const [index, block] of program.entries()) mistakes.set(block, found[index] ?? [])
    }
  }, 120_000)

  it.each(blocks.map((block) => [`${block.file}:${block.line}`, block] as const))('at %s compiles', (_place, block) => {
    expect(mistakes.get(block)).toEqual([])
  })

  it('is found: there are some, and a mistake in one is reported at its line', async () => {
    expect(blocks.length).toBeGreaterThan(0)
    const wrong = { file: 'x.md', line: 7, language: 'ts', text: "import 'node:fs'\nconst port: number = 'http'\n" }
    expect(await compile([inPlace(wrong)])).toEqual([[expect.stringMatching(/^\(8,7\): error TS2322/)]])
  }, 120_000)
})

describe.each(documents())('%s', (file) => {
  it('links to files and headings that exist', () => {
    const broken = links(file).filter((link) => !/^(https?|mailto):/.test(link) && !resolves(file, link))
    expect(broken).toEqual([])
  })

  it('names npm scripts that exist', () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(read('package.json'))
    const named = [...read(file).matchAll(/\bnpm (?:run )([\w:-]+)/g)].map((match) => match[1] ?? '')
    expect(named.filter((name) => !(name in scripts))).toEqual([])
  })
})

function resolves(file: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? file : normalize(join(dirname(file), decodeURI(path)))
  if (!existsSync(join(root, target))) return false
  return anchor === undefined || !target.endsWith('.md') || anchors(target).has(anchor)
}
