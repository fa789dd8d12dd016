import { type Linked, LinkedList } from './linked-list.js'

/** Members of a running reply that this list needs. */
export interface Running extends Linked<Running> {
  /** Looks whether the reply has ended. */
  check(): void
  /** Called when the server closes before the reply has ended. */
  cutOff(): void
}

/** Lists the replies that go on after their Complete. Each has a connection of its own, or a caller of `inject`. */
export class RunningReplies extends LinkedList<Running> {
  isClosed = false

  /** Looks for ended ones: a response whose turn on its connection has not come emits nothing when its client leaves. */
  sweep(): void {
    for (const reply of this) reply.check()
  }

  /** Ends all of them; replies that begin later are not followed. */
  close(): void {
    this.sweep()
    this.isClosed = true
    for (const reply of this) reply.cutOff()
  }
}
