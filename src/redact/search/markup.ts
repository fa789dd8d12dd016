import type { Secrecy } from '../keys.js'
import type { KeyRules } from './assignments.js'

const TAG = /<([^<>]*)>/g
const DATA = /\s{0,64}<!\[CDATA\[/y
const NAME = /^\/?([\w.:-]{1,128})(?=[\s/]|$)/
const ATTRIBUTE = /(?<![\w.:-])([\w.:-]{1,128})\s{0,16}=\s{0,16}(?:"([^"]*)"|'([^']*)')/g

/** Attributes that name the attribute `value`, or the content of the element. */
const NAMING_ATTRIBUTE = /^(?:name|key|id|field|type|property)$/i
const VALUE_ATTRIBUTE = /^(?:value|content)$/i

/** Elements that name the content of the next one: `<key>password</key><string>x</string>`. */
const NAMING_ELEMENT = /^(?:key|name|id|field|property)$/i

/** The most searches for the end of an element that has none. */
const MOST_UNCLOSED = 16

/** Replaces the content of secret elements in XML and HTML, and the attribute `value` of those with a secret's name. */
export function redactMarkup(text: string, rules: KeyRules): string {
  return new MarkupRedaction(text, rules).run()
}

/** The secret element that is being read. */
interface SecretElement {
  readonly name: string
  readonly secrecy: Secrecy
  depth: number
  readonly isClosed: boolean
}

class MarkupRedaction {
  private redacted = ''
  private copied = 0
  /** The start of the content that the next tag ends. */
  private content = 0
  /** The end of the CDATA that begins there; it holds no tags, whatever it looks like. */
  private endOfData = 0
  private secret: SecretElement | null = null
  /** The secrecy of the next element, if the one before it names it. */
  private next: Secrecy = 0
  private unclosed = 0

  constructor(
    private readonly text: string,
    private readonly rules: KeyRules,
  ) {}

  run(): string {
    const { text } = this
    for (const { 0: tag, 1: inner = '', index } of text.matchAll(TAG)) {
      const name = index < this.endOfData ? undefined : NAME.exec(inner)?.[1]
      // Not a tag: CDATA or a comment, which is content.
      if (name === undefined) continue
      const end = index + tag.length
      if (this.secret !== null) this.inSecret(this.secret, name, inner, index)
      else if (inner.startsWith('/')) this.close(name, index)
      else this.open(name, inner, index, end)
      this.startContent(end)
    }
    if (this.secret?.isClosed === false) this.replaceContent(text.length, this.secret.secrecy)
    return this.copied === 0 ? text : this.redacted + text.slice(this.copied)
  }

  private startContent(start: number): void {
    const { text } = this
    this.content = start
    DATA.lastIndex = start
    if (!DATA.test(text)) return
    const end = text.indexOf(']]>', DATA.lastIndex)
    this.endOfData = end === -1 ? text.length : end
  }

  private inSecret(secret: SecretElement, name: string, inner: string, index: number): void {
    this.replaceContent(index, secret.secrecy)
    if (!secret.isClosed) this.secret = null
    else if (name === secret.name && !inner.endsWith('/')) {
      secret.depth += inner.startsWith('/') ? -1 : 1
      if (secret.depth === 0) this.secret = null
    }
  }

  private open(name: string, inner: string, index: number, end: number): void {
    const secrecy = this.secrecyOf(name, inner, index + 1)
    this.next = 0
    if (secrecy === 0 || inner.endsWith('/')) return
    this.secret = { name, secrecy, depth: 1, isClosed: this.isClosed(name, end) }
  }

  private close(name: string, index: number): void {
    if (NAMING_ELEMENT.test(localName(name)))
      this.next = this.rules.secrecyOf(this.text.slice(this.content, index).trim())
  }

  private isClosed(name: string, from: number): boolean {
    if (this.unclosed >= MOST_UNCLOSED) return false
    if (this.text.includes(`</${name}`, from)) return true
    this.unclosed++
    return false
  }

  /** The secrecy of an element's content, by its own name or the name in an attribute. Replaces its `value`. */
  private secrecyOf(name: string, inner: string, start: number): Secrecy {
    const attributes = inner.includes('=') ? [...inner.matchAll(ATTRIBUTE)] : []
    let secrecy = greater(this.next, this.rules.secrecyOf(localName(name)))
    for (const [, attribute = '', double, single] of attributes) {
      if (NAMING_ATTRIBUTE.test(attribute)) secrecy = greater(secrecy, this.rules.secrecyOf(double ?? single ?? ''))
    }
    for (const { 0: whole, 1: attribute = '', 2: double, 3: single, index } of attributes) {
      const value = double ?? single ?? ''
      if (secrecy === 0 || value === '' || !VALUE_ATTRIBUTE.test(attribute)) continue
      const end = start + index + whole.length - 1
      this.replace(end - value.length, end, secrecy)
    }
    return secrecy
  }

  /** Replaces the content up to a tag, without the white space around it and the marks of CDATA. */
  private replaceContent(end: number, secrecy: Secrecy): void {
    const content = this.text.slice(this.content, end)
    const trimmed = content.trim()
    if (trimmed === '') return
    const start = this.content + content.indexOf(trimmed)
    const isData = trimmed.startsWith('<![CDATA[') && trimmed.endsWith(']]>') && trimmed.length > 12
    this.replace(start + (isData ? 9 : 0), start + trimmed.length - (isData ? 3 : 0), secrecy)
  }

  private replace(start: number, end: number, secrecy: Secrecy): void {
    this.redacted += this.text.slice(this.copied, start) + this.rules.replacement(this.text.slice(start, end), secrecy)
    this.copied = end
  }
}

/** A name without the prefix of its namespace. */
function localName(name: string): string {
  return name.slice(name.lastIndexOf(':') + 1)
}

function greater(one: Secrecy, other: Secrecy): Secrecy {
  return other > one ? other : one
}
