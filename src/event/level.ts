/** The amount that an event holds, from nothing to the bodies of request and reply. */
export type LevelName = 'none' | 'metadata' | 'request' | 'response'

/** A level by its name, or by the number that Rancher's `AUDIT_LEVEL` has for it. */
export type LevelOption = LevelName | 0 | 1 | 2 | 3

/** A level as a number, so that one includes all below it. */
export type Level = 0 | 1 | 2 | 3

/** The names of the levels, each at its number. */
export const LEVEL_NAMES = ['none', 'metadata', 'request', 'response'] as const

export const NONE = 0
export const METADATA = 1
export const REQUEST = 2
export const RESPONSE = 3

/** The number of a level that was checked. */
export function toLevel(option: LevelOption): Level {
  switch (option) {
    case 'none':
      return NONE
    case 'metadata':
      return METADATA
    case 'request':
      return REQUEST
    case 'response':
      return RESPONSE
    default:
      return option
  }
}

export function isLevel(value: unknown): value is Level {
  return value === NONE || value === METADATA || value === REQUEST || value === RESPONSE
}
