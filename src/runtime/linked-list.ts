/** Element of a `LinkedList`: it holds the links itself, so that adding it allocates nothing. In one list at a time. */
export interface Linked<Element> {
  previous: Element | null
  following: Element | null
}

/** Lists elements, oldest first; adds and removes one in constant time. */
export class LinkedList<Element extends Linked<Element>> {
  count = 0
  private first: Element | null = null
  private last: Element | null = null

  add(element: Element): void {
    element.previous = this.last
    if (this.last === null) this.first = element
    else this.last.following = element
    this.last = element
    this.count++
  }

  remove(element: Element): void {
    const { previous, following } = element
    if (previous === null) this.first = following
    else previous.following = following
    if (following === null) this.last = previous
    else following.previous = previous
    element.previous = null
    element.following = null
    this.count--
  }

  /** Iterates over the elements; the current one may be removed meanwhile. */
  *[Symbol.iterator](): Generator<Element> {
    let element = this.first
    while (element !== null) {
      const { following } = element
      yield element
      element = following
    }
  }
}
