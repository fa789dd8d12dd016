/** One request, and what came of it. */
export interface Answer {
  readonly number: number
  readonly status: number
  /** The code of an error that the server answered with. */
  readonly code: string | undefined
}

/** More than a page of a file system, so that a line with it fits on no disk that is full. */
const PADDING = `?padding=${'x'.repeat(4000)}`

export function endpointOf(number: number): string {
  return `/tasks/${number}`
}

/** A client that numbers its requests and remembers every answer. */
export class Traffic {
  readonly answers: Answer[] = []
  private last = 0

  constructor(private readonly address: string) {}

  url(path: string): string {
    return this.address + path
  }

  async send({ isLong = false } = {}): Promise<Answer> {
    const number = ++this.last
    const response = await fetch(this.url(endpointOf(number) + (isLong ? PADDING : '')))
    const body: unknown = await response.json()
    const code = typeof body === 'object' && body !== null ? Reflect.get(body, 'code') : undefined
    const answer = { number, status: response.status, code: code === undefined ? undefined : String(code) }
    this.answers.push(answer)
    return answer
  }

  /** Sends so many, some at a time; resolves with the answers to them. */
  async burst(count: number, { isLong = false, together = 8 } = {}): Promise<Answer[]> {
    const answers: Answer[] = []
    let left = count
    const client = async (): Promise<void> => {
      while (left-- > 0) answers.push(await this.send({ isLong }))
    }
    await Promise.all(Array.from({ length: together }, client))
    return answers
  }

  /** Sends one after the other while `act` is under way; resolves with its result. */
  async during<Result>(act: () => Promise<Result>): Promise<Result> {
    let isOver = false
    const client = async (): Promise<void> => {
      while (!isOver) await this.send()
    }
    const sending = client()
    try {
      return await act()
    } finally {
      isOver = true
      await sending
    }
  }
}

export function statuses(answers: readonly Answer[]): number[] {
  return [...new Set(answers.map(({ status }) => status))].sort()
}
