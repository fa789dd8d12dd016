/** Failures on demand, for the sinks of tests. */
export class Outage {
  private failure: Error | null = null
  private hanging: Array<() => void> | null = null

  /** Whether a call would fail or hang. */
  get isOn(): boolean {
    return this.failure !== null || this.hanging !== null
  }

  /** Resolves when the call may go on; rejects when it is to fail. */
  async pass(): Promise<void> {
    const { hanging } = this
    if (hanging !== null) await new Promise<void>((resolve) => hanging.push(resolve))
    if (this.failure !== null) throw this.failure
  }

  /** Fails every call from now on, and those that hang. */
  fail(error: Error): void {
    this.failure = error
    this.release()
  }

  /** Leaves every call from now on without an answer. */
  hang(): void {
    this.hanging ??= []
  }

  /** Lets every call pass, and those that hang. */
  end(): void {
    this.failure = null
    this.release()
  }

  private release(): void {
    const { hanging } = this
    this.hanging = null
    for (const resolve of hanging ?? []) resolve()
  }
}
