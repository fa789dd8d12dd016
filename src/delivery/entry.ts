import type { Draft } from '../event/draft.js'
import type { AuditEvent, LifecycleEvent } from '../event/event.js'
import type { AuditEntry } from '../sinks/sink.js'

/** What became of an entry. In doubt: its sink did not say in time, or died while it stored it. */
export type Fate = 'pending' | 'stored' | 'not stored' | 'in doubt'

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
