import { setImmediate } from '../../clock.js'
import { type Linked, LinkedList } from '../../runtime/linked-list.js'

/** Members of an exchange that this list needs. */
export interface UnsentReply extends Linked<UnsentReply> {
  /** Called one turn of the event loop later. */
  lookAgain(): void
}

/**
 * Lists whole replies that were let out and had not left at once: over TLS and HTTP/2 that is every one, and nearly all have
 * left a turn of the event loop later. One look at all of them costs less than watching each.
 */
export class UnsentReplies extends LinkedList<UnsentReply> {
  private isWaiting = false

  override add(reply: UnsentReply): void {
    super.add(reply)
    if (this.isWaiting) return
    this.isWaiting = true
    setImmediate(() => this.look())
  }

  private look(): void {
    this.isWaiting = false
    for (const reply of this) {
      this.remove(reply)
      reply.lookAgain()
    }
  }
}
