/**
 * Copies an ASCII text into one piece. V8 keeps a text that was concatenated as a tree, and walks it for each line that
 * holds it: some 20 ns a piece. Worth the copy for a text that many lines share.
 */
export function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
