/**
 * An ASCII text in one piece. V8 keeps what was put together by `+` as a tree, and walks it wherever it is copied into
 * a line: some 20 ns a piece. Worth its copy for a text that many lines have in common.
 */
export function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
