import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))

/** One fenced block: its language, its text, and the line of the file on which its text begins. */
export interface CodeBlock {
  file: string
  line: number
  language: string
  text: string
}

/** The documents a user reads, by their path from the root. */
export function documents(): string[] {
  return [...markdownIn('.'), ...markdownIn('docs')]
}

/** The files of src, by their path from the root. */
export function sources(): string[] {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join('src', name))
    .sort()
}

export function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

/** The fenced blocks of a document, or of the docstrings of a source file. */
export function codeBlocks(file: string): CodeBlock[] {
  const blocks: CodeBlock[] = []
  let open: CodeBlock | undefined
  for (const [index, raw] of read(file).split('\n').entries()) {
    const line = file.endsWith('.ts') ? docstringLine(raw) : raw
    if (line === undefined) continue
    const fence = /^\s*```(.*)$/.exec(line)
    if (fence === null) {
      if (open !== undefined) open.text += `${line}\n`
    } else if (open === undefined) {
      open = { file, line: index + 2, language: (fence[1] ?? '').trim(), text: '' }
    } else {
      blocks.push(open)
      open = undefined
    }
  }
  if (open !== undefined) throw new Error(`${file}:${open.line}: this block is never closed`)
  return blocks
}

/** The links of a document as they stand, outside code. */
export function links(file: string): string[] {
  return [...prose(file).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '')
}

/** The anchors that GitHub gives a document's headings. */
export function anchors(file: string): Set<string> {
  const found = new Set<string>()
  for (const [, heading = ''] of withoutBlocks(file).matchAll(/^#{1,6} +(.+)$/gm)) {
    const slug = heading
      .toLowerCase()
      .replace(/[^\p{Letter}\p{Number}\p{Mark} _-]/gu, '')
      .replaceAll(' ', '-')
    let anchor = slug
    for (let count = 1; found.has(anchor); count++) anchor = `${slug}-${count}`
    found.add(anchor)
  }
  return found
}

function markdownIn(folder: string): string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
    .sort()
}

function docstringLine(line: string): string | undefined {
  return /^\s*\* ?(?!\/)(.*)$/.exec(line)?.[1]
}

function withoutBlocks(file: string): string {
  return read(file).replace(/^\s*```[\s\S]*?^\s*```\s*$/gm, '')
}

function prose(file: string): string {
  return withoutBlocks(file).replace(/`[^`\n]*`/g, '')
}
