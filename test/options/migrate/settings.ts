import type { OptionMistake } from '../../../src/options/parse.js'

/** The mistakes that are found in settings; throws when they are accepted. */
export function mistakesIn(read: () => unknown): OptionMistake[] {
  return failure(read).mistakes
}

/** The lines of the message, without its first. */
export function linesOf(read: () => unknown): string[] {
  return failure(read).message.split('\n').slice(1)
}

function failure(read: () => unknown): { message: string; mistakes: OptionMistake[] } {
  try {
    read()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'FST_AUDIT_INVALID_SETTINGS') {
      return {
        message: error.message,
        mistakes: 'mistakes' in error ? ([error.mistakes].flat() as OptionMistake[]) : [],
      }
    }
    throw error
  }
  throw new Error('The settings were accepted.')
}
