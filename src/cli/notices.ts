import type { TrailCounts } from '../reader/read-trail.js'

/** Lists, a sentence each, what limits the answer: gaps, torn files, foreign lines and the like. */
export function noticesOf(counts: Readonly<TrailCounts>): string[] {
  const { torn, foreign, tooLong, gaps, lost, inDoubt, forgotten, unapplied, unjoined, deletedFiles, copies } = counts
  return [
    ...when(gaps, `the trail says that it has ${some(gaps, 'gap')}: ${lost} records lost, ${inDoubt} in doubt`),
    ...when(torn, `${some(torn, 'file')} ended within a line`),
    ...when(foreign, `${some(foreign, 'line')} skipped: not a record of either format`),
    ...when(tooLong, `${some(tooLong, 'line')} skipped: longer than any record`),
    ...when(
      forgotten,
      `too many requests were open at once: ${forgotten} may be shown as open though they were completed`,
    ),
    ...when(unapplied, `${some(unapplied, 'correction')} not applied: there are too many`),
    ...when(unjoined, `${some(unjoined, 'end')} of replies not shown: there are too many`),
    ...copies.map((path) => `${path} was not read again: another file begins with the same line, and holds as much`),
    ...deletedFiles.map((path) => `${path} was deleted before it was read`),
  ]
}

function when(count: number, text: string): string[] {
  return count === 0 ? [] : [text]
}

function some(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
