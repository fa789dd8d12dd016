import { read } from './markdown.js'

/** Keys of real APIs whose values are secret, and others that only look alike. The files say where they are from. */
export const secretKeys = keysOf('test/redact/keys/secret.txt')
export const harmlessKeys = keysOf('test/redact/keys/harmless.txt')

function keysOf(path: string): readonly string[] {
  const lines = read(path).split('\n')
  return lines.flatMap((line) => (line.startsWith('#') ? [] : line.split(' '))).filter((key) => key !== '')
}
