import type { z } from 'zod'
import { AuditInvalidOptions } from '../errors.js'
import { describeMistakes, mistakesOf } from './mistakes.js'
import { type ResolvedOptions, resolveOptions } from './resolve.js'
import { issuesOf, optionsSchema } from './schema.js'

export { optionsJsonSchema } from './json-schema.js'
export type { OptionMistake } from './mistakes.js'
export type * from './plugin-options.js'
export type { ResolvedOptions, ResolvedSink } from './resolve.js'
export type * from './types.js'

/**
 * Checks the plugin's options and decides each of them.
 *
 * @throws `FST_AUDIT_INVALID_OPTIONS` with every mistake: one a line in its message, and as `mistakes`.
 */
export function parseOptions(input: unknown): ResolvedOptions {
  return resolveOptions(checkedOptions(optionsSchema, input))
}

/**
 * Returns the output of a schema of options.
 *
 * @throws `FST_AUDIT_INVALID_OPTIONS` as `parseOptions` does.
 */
export function checkedOptions<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const options = input === undefined ? {} : input
  const parsed = schema.safeParse(options)
  const issues = issuesOf(options, parsed.error?.issues)
  if (parsed.success && issues.length === 0) return parsed.data
  const mistakes = mistakesOf(issues, options)
  throw Object.assign(new AuditInvalidOptions(describeMistakes(mistakes)), { mistakes })
}

/** Returns warnings about options that work but are probably not meant. */
export function optionWarnings(options: ResolvedOptions): string[] {
  return options.sinks.flatMap((sink, index) => {
    if (sink.type !== 'file') return []
    const { rotateMaxFiles, rotateMaxAge, rotateMinAge, rotateBytes, rotateDuration } = sink
    const warnings: string[] = []
    if (rotateMaxFiles > 0 && rotateMinAge === 0) {
      warnings.push(
        `sinks[${index}].rotateMaxFiles: ${rotateMaxFiles} deletes files however young they are, so whoever can cause ` +
          "enough events can have older ones deleted; set `rotateMinAge`, such as '720h'",
      )
    }
    if ((rotateMaxFiles > 0 || rotateMaxAge > 0) && rotateBytes === 0 && rotateDuration === 0) {
      warnings.push(
        `sinks[${index}]: files are to be deleted, but none is ever rotated; set \`rotateBytes\` or \`rotateDuration\``,
      )
    }
    return warnings
  })
}
