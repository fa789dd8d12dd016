import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.js'
import { toIsoTime } from '../clock.js'
import { Draft } from './draft.js'
import type { LifecycleDetails, LifecycleType } from './event.js'
import { newEventId } from './event-id.js'
import { flat } from './flat.js'
import { writeLifecycle } from './formats/json.js'

/** Makes the records of one instance: puts around each payload what all of its lines have in common. */
export class Envelope {
  readonly instance = randomUUID()
  /** What the lines that are made within a millisecond begin with. */
  private head = ''
  private headTime = ''

  constructor(readonly clock: Clock) {}

  /** The record of a line from its payload on; `isAscii` when its text is known to be. */
  draft(tail: string, isAscii = false): Draft {
    const createdAt = toIsoTime(this.clock.now())
    if (createdAt !== this.headTime) {
      this.headTime = createdAt
      this.head = flat(`{"created_at":"${createdAt}","event_type":"audit","instance":"${this.instance}","seq":`)
    }
    return new Draft(this.head, tail, isAscii)
  }

  readonly lifecycle = <Type extends LifecycleType>(type: Type, details: LifecycleDetails[Type]): Draft =>
    this.draft(writeLifecycle(type, newEventId(), toIsoTime(this.clock.now()), details))
}
