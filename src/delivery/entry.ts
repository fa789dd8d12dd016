import type { Draft } from '../event/draft.js'
import type { TrailEvent } from '../event/event.js'
import type { AuditEntry } from '../sinks/sink.js'

/** The outcome of an entry. In doubt: its sink did not answer in time, or failed while it stored the entry. */
export type Fate = 'pending' | 'stored' | 'not stored' | 'in doubt'

/** One sink's lane, as the exchange of an entry sees it. */
export interface Lane {
  readonly enforced: boolean
  /** Takes an entry. Returns true if its waiter will be told its fate, false if it is refused or lost at once. */
  offer(entry: Entry): boolean
}

/** Waits for the fate of an entry. */
export interface Waiter {
  /** True if its outcomes may take the part of a queue that is reserved for outcomes. */
  readonly takesReserve: boolean
  /** Called once, when the entry's fate is known or in doubt. */
  settled(entry: Entry): void
  /** Called at most once, when the fate of an entry that was in doubt is known after all. */
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
    /** Null for an entry of a best-effort sink, and for one about the trail's own life. */
    public waiter: Waiter | null,
    /** The entry is lost if it is not stored: its request was served, or its handler ran. */
    readonly countsAsLost: boolean,
    /** The same record on its way to another sink. */
    readonly sibling: Entry | null = null,
  ) {}

  get event(): TrailEvent {
    return this.draft.event(this.seq)
  }
}

/** A record of a sink's own life. It causes no further work: a rotation that caused another would never end. */
export class OwnEntry extends Entry {}
