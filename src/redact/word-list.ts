/** Splits words that are written with commas between them, on any number of lines. */
export function wordList(text: string): readonly string[] {
  return text.trim().split(/,\s+/)
}
