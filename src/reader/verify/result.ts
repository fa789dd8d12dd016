/**
 * The kinds of problems of a trail.
 *
 * - `altered`: a line is not what was sealed
 * - `missing`: a line does not follow the one before it, and the one that it follows is nowhere; or, without a seal, numbers
 *   are missing
 * - `inserted`, `duplicated`, `moved`: a line is where it was not written
 * - `unsealed`: a line without a seal stands after sealed ones
 * - `begins-in-the-middle`: lines before the first one are missing, and no `retention` entry says why
 * - `begins-anew`: a chain begins where none should
 * - `key`: lines are sealed without a given secret, or with one whose time was over
 * - `signature`: a checkpoint is not signed by the public key, or does not say what the trail says
 * - `unsigned`: a public key was given, and the trail has no checkpoint
 * - `cut-off`: the trail does not reach what was expected of it
 * - `renamed`: a file does not have the name that the trail gives it
 * - `torn`: a file that is not the newest ends within a line
 * - `unreadable`: a file cannot be read to its end
 * - `nothing-sealed`: no line at all is sealed
 */
export type VerifyProblemKind =
  | 'altered'
  | 'missing'
  | 'inserted'
  | 'duplicated'
  | 'moved'
  | 'unsealed'
  | 'begins-in-the-middle'
  | 'begins-anew'
  | 'key'
  | 'signature'
  | 'unsigned'
  | 'cut-off'
  | 'renamed'
  | 'torn'
  | 'unreadable'
  | 'nothing-sealed'

/** A problem and its place. */
export interface VerifyProblem {
  kind: VerifyProblemKind
  file: string
  /** Counted from 1; 0 for a problem of the whole file. */
  line: number
  /** The last line with the same problem; `line` itself if it is the only one. */
  to: number
  /** A sentence that goes on from the place: `line 42 is not what was sealed`. Holds nothing that a client sent. */
  message: string
}

/** Lines that hold: each is what was sealed, and follows the one before it. Both ends are counted in. */
export interface VerifiedRange {
  file: string
  from: number
  to: number
}

/** One file of the trail, in the trail's order. */
export interface VerifiedFile {
  path: string
  /** Whole lines. */
  lines: number
  sealed: number
  /** Lines without a seal: older than the sealing, or foreign. */
  unsealed: number
  /** The file ends within a line, which is not counted as one. */
  torn: boolean
}

/** The result of a verification. */
export interface VerifyResult {
  /** Nothing is wrong. */
  ok: boolean
  /** The first 1,000 problems; `problemCount` counts all. */
  problems: VerifyProblem[]
  problemCount: number
  /** The first 1,000 ranges that hold. */
  holds: VerifiedRange[]
  files: VerifiedFile[]
  lines: number
  sealed: number
  unsealed: number
  torn: number
  /** The number of chains: more than one if the sink could not say what it had stored last. */
  chains: number
  /** The trail begins in the middle of a chain, and its `retention` entries say that older files were deleted. */
  beginsAfterRetention: boolean
  /** The number of verified checkpoints, and of sealed lines after the last one of their chain. */
  checkpoints: number
  unsignedLines: number
  /**
   * Lines without a seal by their numbers: the runs of servers that wrote any, how many numbers are missing, and how many of
   * these nothing accounts for, neither a gap nor a refused request.
   */
  numbers: { runs: number; missing: number; unaccounted: number }
  /** The last line that holds, which a later verification can `expect`. */
  last: { file: string; line: number; hash: string } | null
}
