import autocannon from 'autocannon'

/** A server that is put under load. */
export interface Target {
  readonly origin: string
  /** The CPU time that its process has used, all threads, in microseconds. */
  cpu(): Promise<number>
}

/** The measurements of one slice of load. */
export interface Slice {
  requestsPerSecond: number
  /** Microseconds. */
  cpuPerRequest: number
  /** The share of a core that the server used. If it is far below 1, the server waited for the load generator. */
  utilisation: number
}

/** 2 KB of JSON, such as an API receives. */
const BODY = JSON.stringify({
  name: 'web',
  owner: { id: 23, mail: 'ada@example.org', active: true },
  tasks: Array.from({ length: 16 }, (_, index) => ({
    id: index,
    image: `registry.example.org/team/service-${index}:1.2.${index}`,
    command: ['serve', '--port', String(8000 + index)],
    cpu: 0.5,
  })),
})
/** Milliseconds. Autocannon ends where its samples do: with its own, of a second, no slice would be shorter. */
const SAMPLE = 50
const POST = { method: 'POST', headers: { 'content-type': 'application/json' }, body: BODY } as const

/** `connections` that each send one request at a time, for `seconds`. */
export interface Load {
  connections: number
  seconds: number
  hasBody: boolean
}

/** Sends requests as fast as they are answered: each connection one at a time. */
export async function runSlice(server: Target, { connections, seconds, hasBody }: Load): Promise<Slice> {
  const url = `${server.origin}/v1/jobs?prefix=web`
  const before = await server.cpu()
  const result = await autocannon({ url, connections, duration: seconds, sampleInt: SAMPLE, ...(hasBody && POST) })
  const cpu = (await server.cpu()) - before
  if (result.non2xx + result.errors > 0) throw new Error(`${result.non2xx + result.errors} requests failed at ${url}`)
  const requests = result.requests.total
  return {
    requestsPerSecond: requests / result.duration,
    cpuPerRequest: cpu / requests,
    utilisation: cpu / (result.duration * 1_000_000),
  }
}
