import type { SurveyedFile } from './survey.js'

/**
 * Separates copies of files: files that begin with the same line hold the same lines as far as both go, since lines are
 * only appended. Keeps the longest of them, and of equal ones one that can be read, by `isTroubled`.
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
