import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { redactValue } from '../../support/secrets.js'

/** The texts of a list, one a line: without its headings, with its line breaks. */
function textsOf(name: string): string[] {
  const lines = readFileSync(`test/redact/search/${name}`, 'utf8').split('\n')
  return lines
    .filter((line) => line !== '' && !/^# [A-Z].*\.$/.test(line))
    .map((line) => line.replaceAll('⏎', '\n').replaceAll('\\u00a0', '\u00a0').replaceAll('\\u2009', '\u2009'))
}

const HARMLESS = textsOf('harmless-texts.txt')
const SECRET = textsOf('secret-texts.txt').map((marked) => ({
  text: marked.replace(/[«»]/g, ''),
  secrets: [...marked.matchAll(/«([^»]+)»/g)].map(([, secret = '']) => secret),
}))

/** Harmless texts that lose something, and secret ones that show something. */
const changed = HARMLESS.filter((text) => redactValue(text).text !== text)
const shown = SECRET.filter(({ text, secrets }) => {
  const { text: clean } = redactValue(text)
  return secrets.some((secret) => clean.includes(secret))
}).map(({ text }) => text)

describe('the published lists of texts', () => {
  it('are large, and each secret text has a secret', () => {
    expect(HARMLESS.length).toBeGreaterThanOrEqual(150)
    expect(SECRET.length).toBeGreaterThanOrEqual(150)
    expect(SECRET.filter(({ secrets }) => secrets.length === 0)).toEqual([])
    expect(new Set(HARMLESS).size).toBe(HARMLESS.length)
    expect(new Set(SECRET.map(({ text }) => text)).size).toBe(SECRET.length)
  })

  it('have the rates that the docs state', () => {
    const docs = readFileSync('docs/redaction.md', 'utf8').replace(/\s+/g, ' ')
    expect(docs).toContain(`${SECRET.length - shown.length} of ${SECRET.length} texts with a secret`)
    expect(docs).toContain(`${HARMLESS.length - changed.length} of ${HARMLESS.length} harmless texts`)
  })

  it('are judged wrongly only at their ends, where the known mistakes are listed', () => {
    const isKnown = (texts: readonly string[], heading: string, text: string) =>
      texts.indexOf(text) >= texts.indexOf(heading)
    expect(changed.filter((text) => !isKnown(HARMLESS, 'secret: db-credentials', text))).toEqual([])
    const secret = SECRET.map(({ text }) => text)
    expect(shown.filter((text) => !isKnown(secret, 'the password is hunter2xyz', text))).toEqual([])
  })
})
