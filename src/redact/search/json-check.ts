/** One token of JSON with the white space before it: a bracket or a separator, a string, or another value. */
const TOKEN =
  /[ \t\n\r]*(?:([{}[\],:])|("[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})[ !#-[\]-\uffff]*)*")|(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[Ee][+-]?\d+)?|true|false|null))/y

/** The token that may come next: a value, a key, its colon, or the token after a value. A list may also end at once. */
type Expected = 'value' | 'first value' | 'key' | 'first key' | 'colon' | 'end'

/**
 * Whether a text is JSON. `JSON.parse` says so too, but throws if it is not: a client writes thousands of texts that
 * only look like JSON, and each error takes its time.
 */
export function isValidJson(text: string): boolean {
  const closing: string[] = []
  let expected: Expected = 'value'
  let end = text.length
  while (end > 0 && /[ \t\n\r]/.test(text.charAt(end - 1))) end--
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < end) {
    const found = TOKEN.exec(text)
    if (found === null) return false
    const [, sign, string] = found
    const next: Expected | undefined =
      sign === undefined ? afterScalar(expected, string !== undefined) : afterSign(sign, expected, closing)
    if (next === undefined) return false
    expected = next
  }
  return expected === 'end' && closing.length === 0
}

function afterScalar(expected: Expected, isString: boolean): Expected | undefined {
  if (expected === 'value' || expected === 'first value') return 'end'
  return isString && (expected === 'key' || expected === 'first key') ? 'colon' : undefined
}

/** `closing` has the bracket that closes each one that is open. */
function afterSign(sign: string, expected: Expected, closing: string[]): Expected | undefined {
  if (sign === ':') return expected === 'colon' ? 'value' : undefined
  if (sign === ',') {
    if (expected !== 'end' || closing.length === 0) return undefined
    return closing.at(-1) === '}' ? 'key' : 'value'
  }
  if (sign === '{' || sign === '[') {
    if (expected !== 'value' && expected !== 'first value') return undefined
    closing.push(sign === '{' ? '}' : ']')
    return sign === '{' ? 'first key' : 'first value'
  }
  const isEmpty = expected === (sign === '}' ? 'first key' : 'first value')
  return (isEmpty || expected === 'end') && closing.pop() === sign ? 'end' : undefined
}
