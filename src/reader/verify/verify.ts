import type { KeyObject } from 'node:crypto'
import { type Checkpoint, isSigned } from '../../event/checkpoint.js'
import { closeFiles, findFiles } from '../files.js'
import { expectationOf } from './expectation.js'
import { orderTrails } from './file-order.js'
import { Findings } from './findings.js'
import { publicKeyOf, SealKeys, type Secret } from './keys.js'
import { TrailCheck } from './trail-check.js'

/** What a trail is verified with. */
export interface VerifyOptions {
  /** The Ed25519 public key of the checkpoints: a `KeyObject`, or PEM. With it, each checkpoint must be signed by it. */
  publicKey?: KeyObject | string | undefined
  /** What the lines were sealed with, or each such secret by its `keyId`. With it, every line must be sealed so. */
  secret?: Secret | Readonly<Record<string, Secret>> | undefined
  /** What the trail must reach: a checkpoint that was kept elsewhere, as an object or as JSON, or a line's `hash`. */
  expect?: Checkpoint | string | undefined
  /** Told now and then how many of the files' bytes are read. */
  onProgress?: ((done: number, total: number) => void) | undefined
}

/**
 * What can be wrong with a trail.
 *
 * - `altered`: a line is not what was sealed
 * - `missing`: a line does not follow the one before it, and the one that it follows is nowhere
 * - `inserted`, `duplicated`, `moved`: a line is where it was not written
 * - `unsealed`: a line without a seal stands among sealed ones
 * - `begins-in-the-middle`: lines before the first one are missing, and no `retention` entry says why
 * - `begins-anew`: a chain begins where none should
 * - `key`: lines are sealed with a secret that was not given, or not with one that was
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

/** Something wrong, and where. */
export interface VerifyProblem {
  kind: VerifyProblemKind
  file: string
  /** Counted from 1; 0 when it is about the file, not about a line of it. */
  line: number
  /** The last line of which the same is true; `line` itself when it is one line alone. */
  to: number
  /** What is wrong, for people, going on from the place: `line 42 is not what was sealed`. Holds nothing of a client's. */
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

/** What was found of a trail. */
export interface VerifyResult {
  /** Nothing is wrong. */
  ok: boolean
  /** The first 1,000; `problemCount` has them all. */
  problems: VerifyProblem[]
  problemCount: number
  /** What still holds, the first 1,000 ranges. */
  holds: VerifiedRange[]
  files: VerifiedFile[]
  lines: number
  sealed: number
  unsealed: number
  torn: number
  /** How many chains there are: more than one when the sink could not say what it had stored last. */
  chains: number
  /** The trail begins in the middle of a chain, and its `retention` entries say that older files were deleted. */
  beginsAfterRetention: boolean
  /** Checkpoints whose signature was verified, and how many sealed lines stand behind the last one of their chain. */
  checkpoints: number
  unsignedLines: number
  /** The last line that holds: what a later verification can `expect`. */
  last: { file: string; line: number; hash: string } | null
}

/**
 * Verifies the chain of sealed trails. `paths` are their files in any order: an active file stands for its archives
 * beside it as well, a directory for the trails in it, and compressed files are read too. Memory does not grow with
 * the trail.
 *
 * @throws `FST_AUDIT_NO_TRAIL` when there is nothing to read at a path; `FST_AUDIT_INVALID_KEY` when `publicKey` or
 * `expect` is not one; the system's error when a file cannot be opened.
 *
 * @example
 * ```ts
 * import { verifyTrail } from 'fastify-audit-log'
 *
 * const { ok, problems } = await verifyTrail(['./data/audit/audit.log'])
 * for (const { file, line, message } of problems) console.error(`${file}:${line} ${message}`)
 * process.exitCode = ok ? 0 : 1
 * ```
 */
export async function verifyTrail(paths: readonly string[], options: VerifyOptions = {}): Promise<VerifyResult> {
  const publicKey = options.publicKey === undefined ? undefined : publicKeyOf(options.publicKey)
  const expected = options.expect === undefined ? undefined : expectationOf(options.expect)
  const findings = new Findings()
  const check = new TrailCheck({ keys: new SealKeys(options.secret), publicKey, expected: expected?.hash, findings })
  const files = await findFiles(paths)
  try {
    const total = files.reduce((sum, { size }) => sum + size, 0)
    let done = 0
    const onBytes = (bytes: number): void => {
      done += bytes
      options.onProgress?.(done, total)
    }
    for (const trail of await orderTrails(files)) await check.trail(trail, onBytes)
  } finally {
    await closeFiles(files)
  }
  const { checkpoint } = expected ?? {}
  return check.result(checkpoint !== undefined && publicKey !== undefined && !isSigned(checkpoint, publicKey))
}
