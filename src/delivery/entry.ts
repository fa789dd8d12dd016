import type { AuditEvent, LifecycleEvent } from '../event/event.js'
import type { AuditEntry } from '../sinks/sink.js'

/** What became of an entry. In doubt: its sink did not say in time, or died while it stored it. */
export type Fate = 'pending' | 'stored' | 'not stored' | 'in doubt'

/** The digits of the largest `seq`, and the `\n` that ends a line. */
const SEQ_AND_ENDING = 17

/** A record before a sink has given it its `seq`: the json line in two parts, around that number. */
export class Draft {
  /** Bytes of the json line, its ending included; at most, because `seq` is not known yet. */
  readonly size: number

  constructor(
    private readonly head: string,
    private readonly tail: string,
    /** Spares a look at every character: 0.5 µs for a line of 600 bytes. */
    isAscii = false,
  ) {
    // What stands before `seq` is ASCII.
    this.size = head.length + (isAscii ? tail.length : Buffer.byteLength(tail)) + SEQ_AND_ENDING
  }

  json(seq: number): string {
    return this.head + seq + this.tail
  }

  event(seq: number): AuditEvent | LifecycleEvent {
    return JSON.parse(this.json(seq))
  }
}

/** Turns a record into its line, without the `\n`. */
export type Format = (draft: Draft, seq: number) => string

export const jsonFormat: Format = (draft, seq) => draft.json(seq)

/** A user's format; a line is one line whatever it returns, and anything but a string is refused. */
export function customFormat(write: (event: AuditEvent | LifecycleEvent) => string): Format {
  return (draft, seq) => {
    const line: unknown = write(draft.event(seq))
    if (typeof line !== 'string') throw new TypeError(`the format returned ${typeof line} instead of a string`)
    // A NUL marks what power loss has torn: no line may look like that, nor be more than one.
    return line.replace(/[\r\n]+/g, ' ').replaceAll('\0', ' ')
  }
}

/** Where an entry is stored, as its exchange sees it. */
export interface Lane {
  readonly enforced: boolean
  /** Takes an entry; false when it is refused or lost at once, true when its waiter will be told. */
  offer(entry: Entry): boolean
}

/** Whoever must know what became of an entry. */
export interface Waiter {
  /** The entry's fate is known, or in doubt; called once. */
  settled(entry: Entry): void
  /** The fate of an entry that was in doubt is known after all; called at most once. */
  resolved(entry: Entry): void
}

/** One record on its way to one sink. */
export class Entry implements AuditEntry {
  line = ''
  seq = 0
  fate: Fate = 'pending'

  constructor(
    readonly draft: Draft,
    readonly lane: Lane,
    /** Nobody waits for an entry of a best-effort sink, or for one about the trail's own life. */
    public waiter: Waiter | null,
    /** Not stored, it is lost: its request was served, or its handler ran. */
    readonly countsAsLost: boolean,
    /** The same record on its way to another sink. */
    readonly sibling: Entry | null = null,
  ) {}

  get event(): AuditEvent | LifecycleEvent {
    return this.draft.event(this.seq)
  }
}

/** A record of a sink's own life. Nothing follows from it: a rotation that led to another would never end. */
export class OwnEntry extends Entry {}
