import { afterAll, afterEach, beforeAll, expect } from 'vitest'

/** Fails every test of a file after which an exception was uncaught, a rejection unhandled or a header refused. */
export function expectNothingUncaught(): void {
  const seen: unknown[] = []
  const note = (error: unknown): void => {
    seen.push(error)
  }
  beforeAll(() => {
    process.on('uncaughtException', note)
    process.on('unhandledRejection', note)
  })
  afterEach(() => {
    expect(seen.splice(0)).toEqual([])
  })
  afterAll(() => {
    process.off('uncaughtException', note)
    process.off('unhandledRejection', note)
  })
}
