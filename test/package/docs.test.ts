import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { anchors, type CodeBlock, codeBlocks, documents, links, read, root, sources } from '../support/markdown.js'

const files = [...documents(), ...sources()]
const blocks = files.flatMap(codeBlocks).filter(({ language }) => language === 'ts')

describe('every example', () => {
  const mistakes = new Map<CodeBlock, string>()
  let folder = ''

  beforeAll(async () => {
    // Inside the project, so that the packages an example imports are found where a reader's would be.
    const cache = join(root, 'node_modules', '.cache')
    mkdirSync(cache, { recursive: true })
    folder = mkdtempSync(join(cache, 'docs-check-'))
    const output = await compile(folder, blocks)
    for (const [index, block] of blocks.entries()) {
      const own = output.filter((mistake) => mistake.startsWith(`${fileName(index)}(`))
      if (own.length > 0) mistakes.set(block, own.join('\n'))
    }
  }, 120_000)

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.each(blocks.map((block) => [`${block.file}:${block.line}`, block] as const))('at %s compiles', (_place, block) => {
    expect(mistakes.get(block) ?? '').toBe('')
  })

  it('is found: there are some, and a mistake in one is reported at its line', async () => {
    expect(blocks.length).toBeGreaterThan(0)
    const wrong = { file: 'x.md', line: 7, language: 'ts', text: "import 'node:fs'\nconst port: number = 'http'\n" }
    const inside = join(folder, 'wrong')
    mkdirSync(inside)
    expect(await compile(inside, [wrong])).toContainEqual(expect.stringMatching(/^0\.ts\(8,7\): error TS2322/))
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

function fileName(index: number): string {
  return `${index}.ts`
}

/** Compiles each block as a module of its own, strictly, and returns the compiler's messages. */
async function compile(folder: string, examples: readonly CodeBlock[]): Promise<string[]> {
  for (const [index, { line, text }] of examples.entries()) {
    // As many lines down as in its document, so that a message names the line there.
    writeFileSync(join(folder, fileName(index)), `${'\n'.repeat(line - 1)}${text}export {}\n`)
  }
  const config = {
    extends: relative(folder, join(root, 'tsconfig.json')),
    compilerOptions: { rootDir: root, noUnusedLocals: false, noUnusedParameters: false },
    include: ['*.ts'],
    exclude: [],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], { cwd: folder }, (error, stdout) => {
      const messages = stdout.split(/\n(?! )/)
      // The compiler fails when there are mistakes, of which it speaks on stdout; anything else is the test's failure.
      if (error !== null && !messages.some((message) => /error TS\d+/.test(message))) reject(error)
      else resolve(messages)
    })
  })
}
