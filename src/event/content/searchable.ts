import { endOfWords } from '../../redact/redactor.js'

/** Cuts a text to the characters that are searched for secrets, between two words if there are some. */
export function searchable(text: string, longest: number): string {
  return text.length > longest ? text.slice(0, endOfWords(text, longest) || longest) : text
}
