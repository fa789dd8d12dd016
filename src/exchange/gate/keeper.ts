/** Decides when the gate opens. */
export interface GateKeeper {
  /**
   * Called when the first bytes of the reply are held; the keeper opens the gate or answers, now or later. `chunk`: first
   * chunk of the body. `isWhole`: no other chunk will follow.
   */
  onReply(statusCode: number, chunk: unknown, isWhole: boolean): void
  /** Called when a whole reply was let out, and part of it has not left yet, or never will. */
  onUnsent(): void
  /** Called when the application destroys the response before anything was sent: no reply will come. */
  onGivenUp(): void
  /** Called when an answer could not be sent; the connection is cut. */
  onGateError(error: unknown): void
}

/** Reply that is sent instead of another. */
export interface Answer {
  readonly statusCode: number
  readonly reason: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
  /** Returns true if a header of the replaced reply stays. */
  keeps(name: string, value: unknown): boolean
}
