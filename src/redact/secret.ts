// Checks the secrets under which values are hashed and lines sealed. A problem is the rest of a sentence about one.

/** A shorter secret could be found by trying. */
const MIN_SECRET_BYTES = 32

export const KEY_ID = /^[\w.-]{1,32}$/

export function secretProblem(value: unknown): string | undefined {
  const remedy = `write at least ${MIN_SECRET_BYTES} random bytes, as a Buffer or a string that is kept out of the code`
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) return `is not a secret; ${remedy}`
  return Buffer.byteLength(value) < MIN_SECRET_BYTES
    ? `is too short to keep a value from being guessed; ${remedy}`
    : undefined
}

export function keyIdProblem(keyId: string): string | undefined {
  if (KEY_ID.test(keyId)) return undefined
  return "is not a key's name; write 1 to 32 letters, digits, '.', '_' or '-', such as '2026-01'"
}
