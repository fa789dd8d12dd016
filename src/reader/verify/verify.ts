import type { KeyObject } from 'node:crypto'
import { basename } from 'node:path'
import { type Checkpoint, isSigned } from '../../event/checkpoint.js'
import { closeFiles, findFiles } from '../files.js'
import { expectationOf } from './expectation.js'
import { orderTrails } from './file-order.js'
import { Findings } from './findings.js'
import { type NamedSecret, publicKeyOf, SealKeys, type Secret } from './keys.js'
import type { VerifyResult } from './result.js'
import { TrailCheck } from './trail-check.js'

/** The options of `verifyTrail`. */
export interface VerifyOptions {
  /** The Ed25519 public key of the checkpoints: a `KeyObject`, or PEM. With it, each checkpoint must be signed by it. */
  publicKey?: KeyObject | string | undefined
  /**
   * The secret of the lines, with which every line must be sealed then. After a change of keys, all secrets in the order
   * of their use, each by its `keyId`: the newest line must be sealed with the last one, and no line with an earlier one
   * than a line before it.
   */
  secret?: Secret | readonly NamedSecret[] | undefined
  /** A line that must be in the trail: a checkpoint that was kept elsewhere, as an object or as JSON, or a line's `hash`. */
  expect?: Checkpoint | string | undefined
  /** Called now and then with the bytes that are read, and all bytes of the files. */
  onProgress?: ((done: number, total: number) => void) | undefined
}

/**
 * Verifies the chain of sealed trails. `paths` are their files in any order: an active file stands for its archives
 * beside it as well, a directory for the trails in it, and compressed files are read too. Memory does not grow with
 * the trail.
 *
 * @throws `FST_AUDIT_NO_TRAIL` when there is nothing to read at a path; `FST_AUDIT_INVALID_KEY` when `publicKey`,
 * `secret` or `expect` cannot be used; the system's error when a file cannot be opened.
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
  const keys = new SealKeys(options.secret)
  const findings = new Findings()
  const { files, unreadable } = await findFiles(paths)
  for (const { path, reason } of unreadable) {
    findings.add('unreadable', { file: path, line: 0 }, `cannot be read: ${reason}`)
  }
  const check = new TrailCheck({
    keys,
    publicKey,
    expected: expected?.hash,
    findings,
    unreadable: unreadable.map(({ path }) => basename(path)),
  })
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
