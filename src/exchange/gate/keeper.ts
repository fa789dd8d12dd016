/** Decides when the gate opens. */
export interface GateKeeper {
  /**
   * The first bytes of the reply are held; the keeper opens the gate, or answers, now or later. `chunk`: the first of
   * the body; `isWhole`: no others will follow.
   */
  onReply(statusCode: number, chunk: unknown, isWhole: boolean): void
  /** The application destroys the response before anything was sent: no reply will come. */
  onGivenUp(): void
  /** An answer could not be sent; the connection is cut. */
  onGateError(error: unknown): void
}

/** A reply that is sent in the place of another. */
export interface Answer {
  readonly statusCode: number
  readonly reason: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
  /** Whether a header of the reply that it replaces stays. */
  keeps(name: string, value: unknown): boolean
}
