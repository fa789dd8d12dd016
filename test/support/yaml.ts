/** A value in a document of the subset below. */
export type Yaml = string | number | boolean | null | Yaml[] | { [key: string]: Yaml }

interface Line {
  /** Counted from 1. */
  readonly number: number
  readonly indent: number
  readonly text: string
}

/**
 * Parses the YAML that this project's own files are written in: block mappings and sequences, literal blocks (`|`),
 * quoted and plain scalars, flow sequences, comments. Throws at whatever else it meets, rather than guess.
 */
export function parseYaml(text: string): Yaml {
  return new Parser(text).document()
}

class Parser {
  private readonly raw: string[]
  private next = 0

  constructor(text: string) {
    if (text.includes('\t')) throw new Error('a tab, which YAML does not take for indentation')
    this.raw = text.split('\n')
  }

  document(): Yaml {
    const value = this.block(0)
    const rest = this.peek()
    if (rest !== undefined) throw this.wrong(rest, 'is indented otherwise than what is before it')
    return value
  }

  /** The next line that holds something, a comment aside. */
  private peek(): Line | undefined {
    for (; this.next < this.raw.length; this.next++) {
      const [, indent = '', text = ''] = /^( *)(.*)$/.exec(this.raw[this.next] ?? '') ?? []
      if (text !== '' && !text.startsWith('#')) return { number: this.next + 1, indent: indent.length, text }
    }
    return undefined
  }

  private block(least: number): Yaml {
    const first = this.peek()
    if (first === undefined || first.indent < least) return null
    return first.text.startsWith('- ') ? this.sequence(first.indent) : this.mapping(first.indent)
  }

  private sequence(indent: number): Yaml[] {
    const items: Yaml[] = []
    for (let line = this.peek(); line?.indent === indent && line.text.startsWith('- '); line = this.peek()) {
      const text = line.text.slice(2)
      if (text === '|') items.push(this.literal(indent))
      else if (KEY.test(text)) {
        // A mapping that begins after the dash goes on below it, two columns further in.
        this.raw[this.next] = `${' '.repeat(indent + 2)}${text}`
        items.push(this.mapping(indent + 2))
      } else {
        this.next++
        items.push(this.scalar(line, text))
      }
    }
    return items
  }

  private mapping(indent: number): { [key: string]: Yaml } {
    const entries = new Map<string, Yaml>()
    for (let line = this.peek(); line?.indent === indent && !line.text.startsWith('- '); line = this.peek()) {
      const [, key = '', text = ''] = KEY.exec(line.text) ?? []
      if (key === '') throw this.wrong(line, 'is no key with a value')
      if (entries.has(key)) throw this.wrong(line, 'is there twice')
      if (text === '|') entries.set(key, this.literal(indent))
      else {
        this.next++
        entries.set(key, text === '' ? this.block(indent + 1) : this.scalar(line, text))
      }
    }
    return Object.fromEntries(entries)
  }

  private literal(parent: number): string {
    this.next++
    const lines: string[] = []
    let indent = 0
    for (; this.next < this.raw.length; this.next++) {
      const line = this.raw[this.next] ?? ''
      const own = line.search(/\S/)
      if (own !== -1 && own <= parent) break
      indent ||= Math.max(0, own)
      lines.push(line.slice(indent))
    }
    return `${lines.join('\n').trimEnd()}\n`
  }

  private scalar(line: Line, text: string): Yaml {
    if (/^\[.*\]$/.test(text)) return JSON.parse(text)
    if (/^"[^"\\]*"$/.test(text) || /^'[^']*'$/.test(text)) return text.slice(1, -1)
    if (/^-?\d+$/.test(text)) return Number(text)
    if (text === 'true' || text === 'false') return text === 'true'
    if (text === '~') return null
    if (PLAIN.test(text) && !/: | #|^(?:yes|no|on|off|null)$/i.test(text)) return text
    throw this.wrong(line, 'is written in a way that this parser does not know')
  }

  private wrong({ number, text }: Line, what: string): Error {
    return new Error(`line ${number}: "${text}" ${what}`)
  }
}

const KEY = /^([A-Za-z][\w.-]*):(?: +(\S.*))?$/
const PLAIN = /^(?:-[A-Za-z]|[A-Za-z0-9/])[\w./:*-]*$/
