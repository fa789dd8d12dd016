/** One exchange as its client saw it. */
export interface Seen {
  /** Which request it was. */
  name: string
  /** The final status. */
  status: number
  /** Everything that came back. */
  bytes: string
}
