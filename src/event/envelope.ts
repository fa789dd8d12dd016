import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.js'
import { toIsoTime } from '../clock.js'
import { Draft } from './draft.js'
import type { LifecycleDetails, LifecycleType } from './event.js'
import { newEventId } from './event-id.js'
import { flat } from './flat.js'
import { type Stamp, stampOf, writeLifecycle } from './formats/json.js'

/**
 * Texts that all lines of one millisecond share: making the time alone costs about 1 µs, and a request needs it three
 * times.
 */
interface Millisecond {
  readonly at: number
  readonly time: string
  /** The beginning of a line, up to its `seq`. */
  readonly head: string
  readonly stamp: Stamp
}

/** Makes the records of one instance: adds to each payload what all lines of the instance share. */
export class Envelope {
  readonly instance = randomUUID()
  private latest: Millisecond | null = null

  constructor(readonly clock: Clock) {}

  /** The current time, in RFC 3339. */
  get time(): string {
    return this.now().time
  }

  /** The start of the payloads of a request that is received now. */
  get stamp(): Stamp {
    return this.now().stamp
  }

  /** Makes a record of a line's text from its payload on; `isAscii` if the text is known to be ASCII. */
  draft(tail: string, isAscii = false): Draft {
    return new Draft(this.now().head, tail, isAscii)
  }

  readonly lifecycle = <Type extends LifecycleType>(type: Type, details: LifecycleDetails[Type]): Draft =>
    this.draft(writeLifecycle(type, newEventId(), this.time, details))

  private now(): Millisecond {
    const at = this.clock.now()
    if (this.latest === null || this.latest.at !== at) this.latest = this.millisecond(at)
    return this.latest
  }

  private millisecond(at: number): Millisecond {
    const time = toIsoTime(at)
    const head = flat(`{"created_at":"${time}","event_type":"audit","instance":"${this.instance}","seq":`)
    return { at, time, head, stamp: stampOf(time) }
  }
}
