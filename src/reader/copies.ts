import type { SurveyedFile } from './survey.js'

/**
 * Tells copies from what they are copies of: files that begin with the same line hold the same, as far as both go, since
 * lines are only ever appended. Of these the longest is kept, or else one that `isTroubled` does not say cannot be read.
 */
export function withoutCopies(
  files: readonly SurveyedFile[],
  isTroubled: (file: SurveyedFile) => boolean,
): { kept: SurveyedFile[]; copies: SurveyedFile[] } {
  const best = new Map<string, SurveyedFile>()
  for (const file of files) {
    if (file.first === undefined) continue
    const other = best.get(file.first.digest)
    const isBetter =
      other === undefined ||
      file.bytes > other.bytes ||
      (file.bytes === other.bytes && isTroubled(other) && !isTroubled(file))
    if (isBetter) best.set(file.first.digest, file)
  }
  const isKept = (file: SurveyedFile): boolean => file.first === undefined || best.get(file.first.digest) === file
  return { kept: files.filter(isKept), copies: files.filter((file) => !isKept(file)) }
}
