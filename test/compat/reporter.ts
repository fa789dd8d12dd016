/** A reporter of `node:test` that writes a line of JSON for each test, named by itself and the tests around it. */

/** What became of one test. */
export interface Outcome {
  readonly name: string
  readonly passed: boolean
  /** The error of a test that failed. */
  readonly error?: string
}

interface TestEvent {
  readonly type: string
  readonly data: {
    readonly name: string
    readonly nesting: number
    readonly details?: { readonly error?: Error & { readonly failureType?: string } }
    readonly skip?: string | boolean
    readonly todo?: string | boolean
  }
}

export default async function* outcomes(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const around: string[] = []
  const times = new Map<string, number>()
  for await (const { type, data } of events) {
    if (type === 'test:start') around[data.nesting] = data.name
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const path = [...around.slice(0, data.nesting), data.name].join(' > ')
    const time = (times.get(path) ?? 0) + 1
    times.set(path, time)
    if (isOf(data.skip) || isOf(data.todo)) continue
    yield `${JSON.stringify(outcome(time === 1 ? path : `${path} (${time})`, data.details?.error))}\n`
  }
}

function isOf(mark: string | boolean | undefined): boolean {
  return mark !== undefined && mark !== false
}

/** A test fails by its own error: those around one that failed say nothing more. */
function outcome(name: string, error: (Error & { failureType?: string }) | undefined): Outcome {
  if (error === undefined || error.failureType === 'subtestsFailed') return { name, passed: true }
  return { name, passed: false, error: text(error.cause ?? error) }
}

function text(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 500)
}
