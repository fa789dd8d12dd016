import type { KeyObject } from 'node:crypto'
import { basename } from 'node:path'
import { asCheckpoint, isSigned, keyIdOf } from '../../event/checkpoint.js'
import { ENDING_BYTES, GENESIS, type LineSeal, sealOf } from '../../event/seal-line.js'
import { contentOf, isUnreadable } from '../contents.js'
import { isTorn, linesIn, wholeLines } from '../lines.js'
import { isObject } from '../members.js'
import { parseRecord } from '../record.js'
import type { TrailFile } from '../trail-file.js'
import { ChainCheck } from './chain-check.js'
import { FileNames } from './file-names.js'
import type { Findings, Place } from './findings.js'
import { KeyOrder } from './key-order.js'
import type { SealKeys } from './keys.js'
import { type NumberCounts, Numbers } from './numbers.js'
import type { VerifiedFile, VerifyResult } from './result.js'

export interface TrailCheckOptions {
  readonly keys: SealKeys
  readonly publicKey: KeyObject | undefined
  /** The hash of a line that must be there. */
  readonly expected: string | undefined
  readonly findings: Findings
  /** The names of files that are there and cannot be read. */
  readonly unreadable: readonly string[]
}

/** The types of entries that say something of the chain, and the bytes that lines with them have. */
const TYPES = ['seal', 'checkpoint', 'rotation', 'retention']
const MARKS = TYPES.map((type) => Buffer.from(`"${type}"`))
/** Stands near the beginning of the record of a request, and in no entry of these types. */
const REQUEST = Buffer.from('"stage":"Operation')

/** Verifies trails, line by line. */
export class TrailCheck {
  private readonly files: VerifiedFile[] = []
  private lines = 0
  private sealed = 0
  private unsealed = 0
  private torn = 0
  private chains = 0
  private verified = 0
  private checkpoints = 0
  /** Sealed lines after the last checkpoint: of the chains that have ended, and of the current one. */
  private unsignedBefore = 0
  private unsigned = 0
  private isReached = false
  private beginsAfterRetention = false
  private last: VerifyResult['last'] = null
  private readonly numbered = { runs: 0, missing: 0, unaccounted: 0 }
  /** These are of the current trail. */
  private chain: ChainCheck
  private names: FileNames
  private numbers: Numbers
  /** The hashes of the last lines of files that were deleted. */
  private readonly deleted = new Set<string | undefined>()
  private order: KeyOrder
  private sink: string | undefined
  private file: VerifiedFile = { path: '', lines: 0, sealed: 0, unsealed: 0, torn: false }

  constructor(private readonly options: TrailCheckOptions) {
    this.chain = new ChainCheck(options.findings)
    this.names = new FileNames(options.findings, options.unreadable)
    this.order = new KeyOrder(options.keys, options.findings)
    this.numbers = new Numbers(options.findings)
  }

  async trail(files: readonly TrailFile[], onBytes: (bytes: number) => void): Promise<void> {
    const { findings, keys } = this.options
    this.chain = new ChainCheck(findings)
    this.names = new FileNames(findings, this.options.unreadable)
    this.order = new KeyOrder(keys, findings)
    this.numbers = new Numbers(findings)
    this.sink = undefined
    this.endSigned()
    const { sealed, checkpoints } = this
    for (const [index, file] of files.entries()) {
      await this.readFile(file, onBytes)
      if (this.file.torn && index < files.length - 1) {
        findings.add(
          'torn',
          { file: file.path, line: this.file.lines + 1 },
          'is torn, although the file is not the newest',
        )
      }
    }
    if (this.sealed === sealed) this.reportUnsealed()
    else if (this.checkpoints === checkpoints) this.reportUnsigned()
    this.names.settle()
    this.count(this.numbers.settle())
    this.order.settle(this.place())
    const { beginning, beginsAfter } = this.chain
    if (beginning !== null && beginsAfter !== undefined && this.deleted.has(beginsAfter)) {
      findings.remove(beginning)
      this.beginsAfterRetention = true
    }
    this.chains += this.chain.chains
  }

  /** Returns the result; `isForged` if the expected checkpoint is not signed by the public key. */
  result(isForged: boolean): VerifyResult {
    const { findings, expected } = this.options
    const { lines, sealed, unsealed, torn, chains, checkpoints, beginsAfterRetention, last } = this
    const end: Place = { file: this.file.path, line: this.file.lines }
    const whole: Place = { file: this.file.path, line: 0 }
    if (sealed > 0 && this.verified === 0) {
      findings.removeAll('altered')
      findings.add(
        'key',
        whole,
        'has no line that is sealed as it says, by what was given: a `secret` is missing, or another',
      )
    }
    if (isForged) findings.add('signature', whole, 'the checkpoint that is expected is not signed by the public key')
    if (expected !== undefined && !this.isReached) {
      findings.add(
        'cut-off',
        end,
        'is where the trail ends, and the line that is expected is not in it: lines were cut off or replaced',
      )
    }
    const { problems, problemCount, holds } = findings
    return {
      ok: problemCount === 0,
      problems,
      problemCount,
      holds,
      files: this.files,
      lines,
      sealed,
      unsealed,
      torn,
      chains,
      beginsAfterRetention,
      checkpoints,
      unsignedLines: this.unsignedBefore + this.unsigned,
      numbers: this.numbered,
      last,
    }
  }

  private reportUnsealed(): void {
    this.chain.forgetUnsealed()
    const whole = { file: this.file.path, line: 0 }
    this.options.findings.add('nothing-sealed', whole, 'ends a trail of which no line is sealed')
  }

  private reportUnsigned(): void {
    const { findings, publicKey } = this.options
    if (publicKey === undefined) return
    findings.add('unsigned', { file: this.file.path, line: 0 }, 'ends a trail that has no checkpoint of the public key')
  }

  private async readFile(file: TrailFile, onBytes: (bytes: number) => void): Promise<void> {
    this.file = { path: file.path, lines: 0, sealed: 0, unsealed: 0, torn: false }
    this.files.push(this.file)
    this.names.begin(basename(file.path))
    try {
      for await (const part of wholeLines(contentOf(file, onBytes), () => this.takeLine(undefined))) {
        const isPartTorn = isTorn(part)
        const whole = isPartTorn ? part.subarray(0, part.lastIndexOf('\n') + 1) : part
        for (const line of linesIn(whole)) this.takeLine(line)
        if (isPartTorn) {
          this.file.torn = true
          this.torn++
        }
      }
    } catch (error) {
      if (!isUnreadable(error)) throw error
      this.options.findings.add('unreadable', this.place(), `is the last that can be read: ${error.message}`)
    }
  }

  private place(): Place {
    return { file: this.file.path, line: this.file.lines }
  }

  /** Takes a line; `undefined` for one that is too long to be from the plugin. */
  private takeLine(line: Buffer | undefined): void {
    this.lines++
    this.file.lines++
    const seal =
      line === undefined ? undefined : sealOf(line.toString('latin1', Math.max(0, line.length - ENDING_BYTES)))
    if (line === undefined || seal === undefined) this.takeUnsealed(line)
    else this.takeSealed(line, seal)
  }

  private count({ runs, missing, unaccounted }: NumberCounts): void {
    this.numbered.runs += runs
    this.numbered.missing += missing
    this.numbered.unaccounted += unaccounted
  }

  private takeUnsealed(line: Buffer | undefined): void {
    this.unsealed++
    this.file.unsealed++
    // Later ones are a problem whatever their numbers are.
    if (line !== undefined && !this.chain.hasBegun) this.numbers.take(line, this.place())
    this.chain.takeUnsealed(this.place())
  }

  private takeSealed(line: Buffer, seal: LineSeal): void {
    this.sealed++
    this.file.sealed++
    const { keys } = this.options
    const details = detailsOf(line)
    const entry = details?.type === 'seal' ? { named: text(details.value.key_id) } : undefined
    const by = keys.find(line, seal.hash, this.order.before, entry?.named)
    if (by !== undefined && seal.prev === GENESIS) this.endSigned()
    this.unsigned++
    if (by === undefined) this.takeAltered(line, seal)
    else this.takeVerified(seal, details, this.order.take(by, this.place(), entry))
  }

  /** Begins to count for another chain: a checkpoint says nothing of the chains before its own. */
  private endSigned(): void {
    this.unsignedBefore += this.unsigned
    this.unsigned = 0
  }

  private takeAltered(line: Buffer, seal: LineSeal): void {
    const { keys, findings } = this.options
    findings.add('altered', this.place(), 'is not what was sealed')
    this.chain.takeAltered(seal, keys.expected(line, this.order.before ?? 'no secret'))
  }

  private takeVerified(seal: LineSeal, details: Details | undefined, isOurs: boolean): void {
    this.verified++
    if (isOurs) {
      const followsUnsealed = details?.type === 'seal' && text(details.value.unsealed) !== undefined
      this.chain.take({ place: this.place(), seal, begins: this.beginningOf(details), followsUnsealed })
      if (details !== undefined) this.takeDetails(details, seal)
      this.last = { ...this.place(), hash: seal.hash }
    } else this.chain.takeAltered(seal, seal.hash)
    if (seal.hash === this.options.expected) this.isReached = true
  }

  /** The `chain` of an entry `seal`, unless that is of another sink, whose chain does not belong here. */
  private beginningOf(details: Details | undefined): string | undefined {
    if (details?.type !== 'seal') return undefined
    const { sink } = this
    this.sink = text(details.value.sink)
    return sink === undefined || sink === this.sink ? text(details.value.chain) : undefined
  }

  private takeDetails({ type, value }: Details, seal: LineSeal): void {
    if (type === 'rotation') this.names.rotated(text(value.archive), this.place())
    else if (type === 'retention') {
      this.names.deleted(text(value.deleted))
      this.deleted.add(text(value.hash))
    } else if (type === 'checkpoint') this.takeCheckpoint(value, seal)
    else this.chain.explain(droppedIn(value.dropped))
  }

  private takeCheckpoint(value: object, seal: LineSeal): void {
    const { publicKey, findings } = this.options
    const checkpoint = asCheckpoint(value)
    if (checkpoint?.hash !== seal.prev) {
      findings.add('signature', this.place(), 'is a checkpoint of another line than the one before it')
      return
    }
    this.chain.takeCheckpoint()
    if (publicKey === undefined) return
    if (isSigned(checkpoint, publicKey)) {
      this.checkpoints++
      this.unsigned = 0
    } else {
      const key = checkpoint.key_id === keyIdOf(publicKey) ? 'not signed by its key' : 'signed by another key'
      findings.add('signature', this.place(), `is a checkpoint that is ${key}`)
    }
  }
}

/** An entry about the chain. */
interface Details {
  readonly type: string
  readonly value: Record<string, unknown>
}

function detailsOf(line: Buffer): Details | undefined {
  if (line.includes(REQUEST) || !MARKS.some((mark) => line.includes(mark))) return undefined
  const record = parseRecord(line.toString())
  if (record?.kind !== 'life' || !TYPES.includes(record.type) || !isObject(record.details)) return undefined
  return { type: record.type, value: record.details }
}

/** The refused lines that an entry `seal` names, each hash with the `prev` of that line. */
function droppedIn(value: unknown): ReadonlyMap<string, string> {
  const dropped = new Map<string, string>()
  for (const one of Array.isArray(value) ? value : []) {
    if (isObject(one) && typeof one.prev === 'string' && typeof one.hash === 'string') dropped.set(one.hash, one.prev)
  }
  return dropped
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
