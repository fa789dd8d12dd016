import type { z } from 'zod'
import { describeText, describeValue } from '../redact/describe-value.js'
import { describePath } from './describe.js'

const MAX_LINES = 50

/** A message may quote a pattern of the user's. */
const MAX_MESSAGE = 500

/** One thing that is wrong with the options. */
export interface OptionMistake {
  /** The place in the options, such as `sinks[1].rotateDuration`. */
  path: string
  /** The value, shortened; `undefined` if there is none. */
  value: string | undefined
  /** The mistake, and what to write instead. */
  message: string
}

/** Every mistake that zod found, each once. */
export function mistakesOf(issues: readonly z.core.$ZodIssue[], input: unknown): OptionMistake[] {
  const mistakes = new Map<string, OptionMistake>()
  for (const issue of issues) {
    const found =
      issue.code === 'unrecognized_keys'
        ? issue.message
            .split('\n')
            .map((message, index) => mistakeAt([...issue.path, issue.keys[index] ?? ''], message, input))
        : [mistakeAt(issue.path, issue.message, input)]
    for (const mistake of found) mistakes.set(`${mistake.path} ${mistake.message}`, mistake)
  }
  return [...mistakes.values()]
}

/** One line for each mistake. */
export function describeMistakes(mistakes: readonly OptionMistake[]): string {
  const lines = mistakes
    .slice(0, MAX_LINES)
    .map(({ path, value, message }) =>
      value === undefined ? `- ${path} ${message}` : `- ${path}: ${value} ${message}`,
    )
  if (mistakes.length > MAX_LINES) lines.push(`- and ${mistakes.length - MAX_LINES} more`)
  return lines.join('\n')
}

function mistakeAt(path: readonly PropertyKey[], message: string, input: unknown): OptionMistake {
  let value = input
  for (const key of path) {
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
  }
  return {
    path: describePath(path.map((part) => (typeof part === 'string' ? describeText(part) : part))),
    value: value === undefined ? undefined : describeValue(value, path),
    message: describeText(message.slice(0, MAX_MESSAGE).replace(/\s+/g, ' ')),
  }
}
