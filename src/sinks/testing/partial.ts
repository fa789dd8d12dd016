/**
 * Tells whether a value has everything that is expected of it. Objects may have more keys, lists may not have more items;
 * a pattern is searched in a text, and a matcher of vitest or Jest, such as `expect.any(Number)`, is asked.
 */
export function fits(expected: unknown, actual: unknown): boolean {
  if (expected instanceof RegExp) return typeof actual === 'string' && actual.search(expected) !== -1
  if (typeof expected !== 'object' || expected === null) return Object.is(expected, actual)
  if (isMatcher(expected)) return expected.asymmetricMatch(actual)
  if (typeof actual !== 'object' || actual === null || Array.isArray(expected) !== Array.isArray(actual)) return false
  if (Array.isArray(actual) && Object.keys(expected).length !== actual.length) return false
  return Object.entries(expected).every(([key, value]) => Object.hasOwn(actual, key) && fits(value, read(actual, key)))
}

function read(value: object, key: string): unknown {
  return Object.getOwnPropertyDescriptor(value, key)?.value
}

interface Matcher {
  asymmetricMatch(value: unknown): boolean
}

export function isMatcher(value: unknown): value is Matcher {
  return (
    typeof value === 'object' &&
    value !== null &&
    'asymmetricMatch' in value &&
    typeof value.asymmetricMatch === 'function'
  )
}
