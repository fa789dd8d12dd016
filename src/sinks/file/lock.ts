import { randomUUID } from 'node:crypto'
import type { Clock } from '../../clock.js'
import { clearInterval, RealDate, setInterval } from '../../clock.js'
import { AuditSinkLocked, AuditSinkUnavailable } from '../../errors.js'
import { FailureLog, type SinkLogger } from '../../logger.js'
import { cleanUp } from './clean-up.js'
import { CREATE, type FileSystem, linkFree, lookUp, remove, writeWhole } from './fs.js'
import { type FoundLock, type Holder, readLock } from './lock-file.js'
import { removeLitter } from './lock-litter.js'
import { identify, liveness, type ProcessIdentity, sharesPids } from './process-identity.js'

/** How often a lock is renewed, in milliseconds. */
export const RENEWAL_INTERVAL = 1000
/** A lock whose process cannot be looked up is dead if it was last renewed this long ago by the clocks … */
export const DEAD_AFTER = 10_000
/** … and was watched for this long without a renewal: the clocks of two machines may differ. */
export const WATCHED_FOR = 3 * RENEWAL_INTERVAL
/** A holder that was seen to renew its lock is alive, unless its last renewal is longer ago than this. */
const ALIVE_FOR = 2 * RENEWAL_INTERVAL
const RETRY_INTERVAL = 100

/** Everything that the lock needs from outside. */
export interface LockParts {
  readonly fs: FileSystem
  readonly clock: Clock
  readonly sleep: (milliseconds: number) => Promise<void>
  readonly log: SinkLogger
}

/**
 * Takes the lock at `path`, which protects `target`; waits up to `timeout` milliseconds for a holder that runs. One
 * that cannot be looked up may be gone, as a killed container is: it is waited for until it is seen alive or known to
 * be dead, unless `timeout` is 0.
 *
 * @throws `FST_AUDIT_SINK_LOCKED` when another process, or this one, holds it.
 */
export async function takeLock(
  path: string,
  target: string,
  mode: number,
  timeout: number,
  parts: LockParts,
): Promise<Lock> {
  const { fs, clock } = parts
  const self = await identify(fs)
  const holder: Holder = {
    ...self,
    token: randomUUID(),
    instance: INSTANCE,
    since: new RealDate(clock.now()).toISOString(),
  }
  const own = `${path}.${holder.token}`
  const fd = await fs.open(own, CREATE, mode)
  held.add(holder.token)
  try {
    await writeWhole(fs, fd, Buffer.from(`${JSON.stringify(holder)}\n`))
    const { id, owner } = await fs.stat(fd)
    await new Attempt(path, target, own, holder.token, fd, self, parts).untilTaken(timeout)
    await cleanUp(parts.log, path, removeLitter(fs, clock, path))
    const lock = new Lock(path, fd, { id, owner }, holder.token, parts)
    lock.startRenewing()
    return lock
  } catch (error) {
    held.delete(holder.token)
    await cleanUp(parts.log, path, withdraw(fs, path, holder.token))
    await cleanUp(parts.log, path, fs.close(fd))
    throw error
  } finally {
    await cleanUp(parts.log, path, remove(fs, own))
  }
}

/** Removes a lock that `link` made although it failed, as can happen over a network. */
async function withdraw(fs: FileSystem, path: string, token: string): Promise<void> {
  if ((await readLock(fs, path))?.token === token) await remove(fs, path)
}

const INSTANCE = randomUUID()
/**
 * Tokens of the locks that this process holds or is taking: two servers of one process must know of each other. A lock
 * of ours that is not among them could not be removed.
 */
const held = new Set<string>()

/** An attempt to make `own` the file at `path`. */
class Attempt {
  private readonly fs: FileSystem
  /** A lock whose holder cannot be looked up: since when it has not changed, and whether it was seen to change. */
  private watched: { token: string; renewed: number; since: number; isAlive: boolean } | undefined

  constructor(
    private readonly path: string,
    private readonly target: string,
    private readonly own: string,
    private readonly token: string,
    private readonly fd: number,
    private readonly self: ProcessIdentity,
    private readonly parts: LockParts,
  ) {
    this.fs = parts.fs
  }

  async untilTaken(timeout: number): Promise<void> {
    for (let waited = 0; ; waited += RETRY_INTERVAL) {
      const found = await this.once()
      if (found === undefined) return
      if (waited >= timeout && !this.mayBeDead(found, timeout)) throw this.refused(found, timeout)
      await this.parts.sleep(RETRY_INTERVAL)
    }
  }

  /** The lock that is in the way, or `undefined` when it is ours now. */
  private async once(): Promise<FoundLock | undefined> {
    const { fs, path, own, token } = this
    await fs.touch(this.fd, this.parts.clock.now())
    for (;;) {
      if (await linkFree(fs, own, path)) return undefined
      const found = await readLock(fs, path)
      if (found === undefined) continue
      // On a network file system the answer to `link` can be lost, and its repetition then says EEXIST.
      if (found.token === token) return undefined
      if (!(await this.isDead(found)) || !(await this.takeOver(found))) return found
      return undefined
    }
  }

  private async isDead(found: FoundLock): Promise<boolean> {
    const { holder } = found
    if (held.has(found.token)) throw this.refusedByOurselves()
    if (holder?.instance === INSTANCE) return true
    const fate = holder === null ? 'unknown' : await liveness(this.fs, this.self, holder)
    if (fate === 'self') throw this.refusedByOurselves()
    if (fate !== 'unknown') {
      this.watched = undefined
      return fate === 'gone'
    }
    const unchanged = this.watch(found)
    return unchanged >= DEAD_AFTER || (this.isOld(found) && unchanged >= WATCHED_FOR)
  }

  private isOld(found: FoundLock): boolean {
    return this.parts.clock.now() - found.renewed > DEAD_AFTER
  }

  /** Whether to go on waiting after `timeout`: the holder may be dead, and will be known to be soon. */
  private mayBeDead(found: FoundLock, timeout: number): boolean {
    if (this.watched === undefined) return false
    const unchanged = this.parts.clock.monotonic() - this.watched.since
    if (timeout === 0) return this.isOld(found) && unchanged < WATCHED_FOR + RETRY_INTERVAL
    return unchanged < DEAD_AFTER + WATCHED_FOR && !(this.watched.isAlive && unchanged < ALIVE_FOR)
  }

  /** Returns how long the lock has been watched without a renewal, whatever the holder's clock says. */
  private watch({ token, renewed }: FoundLock): number {
    const now = this.parts.clock.monotonic()
    if (this.watched?.token !== token || this.watched.renewed !== renewed) {
      this.watched = { token, renewed, since: now, isAlive: this.watched !== undefined }
    }
    return now - this.watched.since
  }

  /**
   * Replaces a dead lock. Of all processes that try, only the one that could link its claim on this lock may do so. A
   * claim whose maker died is claimed in turn, so a chain of claims has at most one live end.
   */
  private async takeOver(dead: FoundLock): Promise<boolean> {
    const { fs, path, own } = this
    const claims: string[] = []
    let last = dead.token
    for (;;) {
      const claim = await readLock(fs, `${path}.claim-${last}`)
      if (claim === undefined) break
      if (!(await this.isDeadClaim(claim))) return false
      claims.push(`${path}.claim-${last}`)
      last = claim.token
    }
    const claim = `${path}.claim-${last}`
    if (!(await linkFree(fs, own, claim))) return false
    try {
      // A quicker process has replaced the lock and removed the claims; a holder that was only slow has renewed it.
      const now = await readLock(fs, path)
      if (now?.token !== dead.token || now.renewed !== dead.renewed) return false
      await fs.rename(own, path)
      for (const old of claims) await cleanUp(this.parts.log, path, remove(fs, old))
      return true
    } finally {
      await cleanUp(this.parts.log, path, remove(fs, claim))
    }
  }

  /** A claim lasts milliseconds and is not renewed. */
  private async isDeadClaim(claim: FoundLock): Promise<boolean> {
    const fate = claim.holder === null ? 'unknown' : await liveness(this.fs, this.self, claim.holder)
    return fate === 'unknown' ? this.isOld(claim) : fate === 'gone'
  }

  private refusedByOurselves(): Error {
    return new AuditSinkLocked(
      this.target,
      'this process has it open already. Await app.close() of the server that holds it before you make another one, ' +
        'give each its own `path`, or use memorySink() in tests.',
    )
  }

  private refused({ holder, renewed }: FoundLock, timeout: number): Error {
    const last = new RealDate(renewed).toISOString()
    const isNear = holder !== null && sharesPids(this.self, holder)
    const wait =
      isNear || timeout > 0
        ? 'if the holder is about to stop'
        : `above 0 if the holder may be gone: it is known to be after ${DEAD_AFTER / 1000} seconds without a renewal`
    return new AuditSinkLocked(
      this.target,
      `${this.nameOf(holder, isNear)} holds ${this.path}, last renewed ${last}. One process writes to a path: put {slot} into \`path\` ` +
        `for cluster workers and rollouts in which the old server still runs, set another \`path\`, or raise \`lockTimeout\` ${wait}.`,
    )
  }

  private nameOf(holder: Holder | null, isNear: boolean): string {
    if (holder === null) return 'an unknown process'
    const name = `process ${holder.pid} on host ${JSON.stringify(holder.host)}`
    return isNear || holder.host !== this.self.host ? name : `${name} (in another container, or before a reboot)`
  }
}

/** A lock that this process holds, until it is released or somebody else takes it. */
export class Lock {
  private timer: NodeJS.Timeout | undefined
  private renewing: Promise<void> | undefined
  private readonly trouble: FailureLog

  constructor(
    readonly path: string,
    private readonly fd: number,
    private readonly file: { readonly id: string; readonly owner: number },
    private readonly token: string,
    private readonly parts: LockParts,
  ) {
    this.trouble = new FailureLog(parts.log, { path }, 'the lock of the audit file cannot be renewed')
  }

  /**
   * Renews the lock from a timer of its own: while a write hangs, the process is alive and nobody may take the file.
   */
  startRenewing(): void {
    this.timer = setInterval(() => {
      this.renewing ??= this.renew().finally(() => {
        this.renewing = undefined
      })
    }, RENEWAL_INTERVAL).unref()
  }

  /** The user id that a file which this process makes beside the lock belongs to. */
  get owner(): number {
    return this.file.owner
  }

  /** Whether the file at the lock's path is ours: another host may have taken us for dead. */
  async isHeld(): Promise<boolean> {
    return (await lookUp(this.parts.fs, this.path))?.id === this.file.id
  }

  /** Rejects if another process has the lock. Called before anything that shortens, renames or deletes. */
  async verify(): Promise<void> {
    if (await this.isHeld()) return
    throw new AuditSinkUnavailable(`its lock ${this.path} was taken by another process, or removed`)
  }

  async release(): Promise<void> {
    clearInterval(this.timer)
    // A descriptor that is closed under a call in flight can be another file by the time that call is made.
    await this.renewing
    const { fs } = this.parts
    held.delete(this.token)
    try {
      if (await this.isHeld()) await remove(fs, this.path)
    } finally {
      await fs.close(this.fd)
    }
  }

  /** Renews by descriptor, so that a lock that has become another process's is never renewed. */
  private async renew(): Promise<void> {
    const { fs, clock } = this.parts
    await this.trouble.guard(() => fs.touch(this.fd, clock.now()))
  }
}
