/** The known word that was probably meant: another spelling of the same letters, or a slip of the keyboard away. */
export function closest(word: string, known: readonly string[]): string | undefined {
  const letters = plain(word)
  if (letters === '' || letters.length > 64) return undefined
  let best: string | undefined
  let least = Math.min(2, Math.floor(letters.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(letters, plain(candidate))
    if (distance < least) {
      best = candidate
      least = distance
    }
  }
  return best
}

/** `rotate_bytes`, `rotate-bytes` and `RotateBytes` are all `rotateBytes`. */
function plain(word: string): string {
  return word.replace(/[-_\s]/g, '').toLowerCase()
}

/** Insertions, deletions, replacements and swaps of neighbours between two words. */
function editDistance(from: string, to: string): number {
  let before: number[] = []
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const current = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = at(previous, j - 1) + (from[i - 1] === to[j - 1] ? 0 : 1)
      current[j] = Math.min(at(previous, j) + 1, at(current, j - 1) + 1, replaced)
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      if (swapped) current[j] = Math.min(at(current, j), at(before, j - 2) + 1)
    }
    before = previous
    previous = current
  }
  return at(previous, to.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY
}
