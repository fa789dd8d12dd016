import { valueAfterOption } from './assigned-value.js'
import type { KeyRules } from './assignments.js'
import { isSentence } from './prose.js'

/** An option before a space and a value, which does not begin with a dash. */
const OPTION = /(?<![^\s"'`(])--?([A-Za-z][\w.-]{0,63})[ \t]{1,16}(?=[^\s-])/g

/** The options of curl and others whose value is a name and a password. */
const USER = /^(?:u|user|proxy-user)$/

/** Values that are filled in elsewhere. */
const PLACEHOLDER = /^["']?(?:<[A-Za-z][A-Za-z _-]*>|(?:\$\{?\w*\}?|[[(].*|\.{3})["']?[.,;)]?$)/

/** Redacts the values of a command's options that have a secret's name: `--token x`. */
export function redactOptions(text: string, rules: KeyRules): string {
  let redacted = ''
  let copied = 0
  OPTION.lastIndex = 0
  for (let found = OPTION.exec(text); found !== null; found = OPTION.exec(text)) {
    const name = found[1] ?? ''
    const isUser = USER.test(name)
    const secrecy = isUser ? 2 : rules.secrecyOf(name)
    const { start, end } = valueAfterOption(text, OPTION.lastIndex)
    if (secrecy === 0 || end <= start) continue
    const value = text.slice(start, end)
    if (isUser ? !/^[^:/]{1,128}:[^/]/.test(value) : isSentence(text, start) || PLACEHOLDER.test(value)) continue
    redacted += text.slice(copied, start) + rules.replacement(value, secrecy)
    copied = end
    OPTION.lastIndex = end
  }
  return copied === 0 ? text : redacted + text.slice(copied)
}
