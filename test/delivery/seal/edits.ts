import fc from 'fast-check'
import { hashOf, reseal, stripped } from './forging.js'
import type { Files } from './sealed-trail.js'

/** Numbers that choose where an edit is made. */
type Choose = (below: number) => number
/** An edit by somebody who may write the files, and has neither the secret nor the private key. */
type Edit = (files: Files, choose: Choose) => void

function anyFile(files: Files, choose: Choose): Files[number] {
  return files[choose(files.length)] ?? { name: 'audit.log', lines: [] }
}

/** Changes some lines that stand together into others. */
function splice(files: Files, choose: Choose, change: (lines: string[], prev: string) => string[]): void {
  const { lines } = anyFile(files, choose)
  const from = choose(lines.length)
  const count = 1 + choose(4)
  lines.splice(from, count, ...change(lines.slice(from, from + count), hashOf(lines[from - 1])))
}

const FOREIGN = ['', 'text', '{"a":1}', '{"created_at":"2026-03-24T17:09:35.704Z","event_type":"audit","payload":{}}']

const EDITS: Record<string, Edit> = {
  'cut at a line, and all files after it': (files, choose) => {
    const index = choose(files.length)
    files[index]?.lines.splice(choose(files[index]?.lines.length ?? 0))
    files.splice(index + 1)
  },
  'cut at the end of one file': (files, choose) => {
    const { lines } = anyFile(files, choose)
    lines.splice(choose(lines.length))
  },
  'strip seals, and edit what they sealed': (files, choose) =>
    splice(files, choose, (lines) => lines.map((line) => stripped(line).replace('/jobs/', '/x/'))),
  'strip all seals after a line': (files, choose) => {
    const index = choose(files.length)
    for (const [place, { lines }] of files.entries()) {
      const from = place < index ? lines.length : place === index ? choose(lines.length) : 0
      lines.splice(from, lines.length, ...lines.slice(from).map(stripped))
    }
  },
  'seal lines anew with a plain hash': (files, choose) =>
    splice(files, choose, (lines, prev) => reseal(lines, prev || '0'.repeat(64))),
  'seal lines anew with another secret': (files, choose) =>
    splice(files, choose, (lines, prev) =>
      reseal(lines, prev || '0'.repeat(64), 'another secret of at least thirty-two bytes'),
    ),
  'insert a line': (files, choose) => {
    const { lines } = anyFile(files, choose)
    lines.splice(choose(lines.length + 1), 0, FOREIGN[choose(FOREIGN.length)] ?? '')
  },
  'append a line': (files, choose) => void files.at(-1)?.lines.push(FOREIGN[choose(FOREIGN.length)] ?? ''),
  'delete lines': (files, choose) => splice(files, choose, () => []),
  'delete a file': (files, choose) => void files.splice(choose(files.length), 1),
  'delete all files but one line without a seal': (files) => {
    files.splice(1)
    if (files[0] !== undefined) files[0].lines.push('{"a":1}')
  },
  'swap two lines': (files, choose) => {
    const [one, other] = [anyFile(files, choose).lines, anyFile(files, choose).lines]
    const [a, b] = [choose(one.length), choose(other.length)]
    const [first = '', second = ''] = [one[a], other[b]]
    one[a] = second
    other[b] = first
  },
  'swap two names': (files, choose) => {
    const [one, other] = [anyFile(files, choose), anyFile(files, choose)]
    const { name } = one
    one.name = other.name
    other.name = name
  },
  'repeat lines': (files, choose) => {
    const { lines } = anyFile(files, choose)
    const from = choose(lines.length)
    const { lines: target } = anyFile(files, choose)
    target.splice(choose(target.length + 1), 0, ...lines.slice(from, from + 1 + choose(4)))
  },
  'repeat a file': (files, choose) => {
    const { lines } = anyFile(files, choose)
    files.splice(choose(files.length), 0, {
      name: `audit-2026-11-${10 + choose(20)}T00-00-00.000Z.log`,
      lines: [...lines],
    })
  },
  'change a character': (files, choose) =>
    splice(files, choose, ([line = '', ...rest]) => {
      const at = choose(line.length)
      return [`${line.slice(0, at)}${line[at] === 'a' ? 'b' : 'a'}${line.slice(at + 1)}`, ...rest]
    }),
}

/** The names of some edits, which are made one after the other. */
export const someEdits = fc.array(fc.constantFrom(...Object.keys(EDITS)), { minLength: 1, maxLength: 3 })

/** A copy of files in which somebody has made the edits of these names, at places that `numbers` choose. */
export function editedBy(names: readonly string[], numbers: Iterator<number>, original: Files): Files {
  const choose: Choose = (below) => Number(numbers.next().value) % Math.max(1, below)
  const files = structuredClone(original)
  for (const name of names) EDITS[name]?.(files, choose)
  return files
}
