import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readTrail, type TrailQuery } from '../../src/index.js'
import { MAX_LINE } from '../../src/reader/lines.js'
import { HAS_ZSTD, zstdFrame } from '../support/zstd.js'
import {
  all,
  completeLine,
  correctionLine,
  found,
  gapLine,
  idOf,
  linesOf,
  type Made,
  receivedLine,
  temporaryDirectory,
  trailOf,
  write,
} from './made.js'

const ONE: Made = { id: idOf(1), received: 1, completed: 2, status: 200 }
const TWO: Made = { id: idOf(2), received: 1, completed: 3, status: 403 }
const ARCHIVE = 'audit-2026-03-24T18-00-00.000Z.log'

describe('readTrail', () => {
  it('joins the records of a request, in the order of the outcomes, and gives what is open at the end', async () => {
    const open: Made = { id: idOf(3), received: 0 }
    const path = trailOf([
      receivedLine(open),
      receivedLine(ONE),
      receivedLine(TWO),
      completeLine(TWO),
      completeLine(ONE),
    ])
    const exchanges = await all(readTrail(path))
    expect(exchanges.map(({ id, open }) => [id, open])).toEqual([
      [TWO.id, undefined],
      [ONE.id, undefined],
      [open.id, true],
    ])
    expect(await found(path, { open: true })).toEqual([open.id])
  })

  it('joins them across files, compressed or not', async () => {
    const path = trailOf([completeLine(ONE), ...linesOf(TWO, 'rancher').slice(1)])
    const earlier = [receivedLine(ONE), ...linesOf(TWO, 'rancher').slice(0, 1)].map((line) => `${line}\n`).join('')
    writeFileSync(join(dirname(path), `${ARCHIVE}.gz`), gzipSync(earlier))
    const exchanges = await all(readTrail(path))
    expect(exchanges.map(({ id, open }) => [id, open])).toEqual([
      [ONE.id, undefined],
      [TWO.id, undefined],
    ])
    expect(exchanges[1]).toMatchObject({ request: { operation: 'GET' }, response: { status_code: 403 } })
  })

  it('reads files compressed by zstd, or names them where Node cannot', async () => {
    const path = trailOf(linesOf(TWO))
    writeFileSync(`${path}.1.zst`, zstdFrame(`${linesOf(ONE).join('\n')}\n`))
    const reading = found(path)
    if (HAS_ZSTD) expect(await reading).toEqual([ONE.id, TWO.id])
    else await expect(reading).rejects.toThrow(`${path}.1.zst: it is compressed by zstd, which needs Node 22.15`)
  })

  it('applies a correction to the record before it, finds it by the new status, and gives the old one', async () => {
    const corrected: Made = {
      ...ONE,
      error: 'x',
      correction: { status_code: 500, error: 'FST_AUDIT_RESPONSE_WITHHELD' },
    }
    const path = trailOf([...linesOf(corrected), ...linesOf(TWO)])
    expect(await all(readTrail(path, { status: '500' }))).toMatchObject([
      {
        id: ONE.id,
        response: { status_code: 500, error: 'FST_AUDIT_RESPONSE_WITHHELD', duration_ms: 1.5 },
        corrected: { status_code: 200, error: 'x' },
      },
    ])
    expect(await found(path, { status: '200' })).toEqual([])
  })

  it('takes a request with a correction and no outcome for completed', async () => {
    const path = trailOf([receivedLine(ONE), correctionLine({ ...ONE, correction: { status_code: 500 } })])
    expect(await all(readTrail(path))).toMatchObject([{ response: { status_code: 500 }, corrected: {} }])
    expect(await found(path, { open: true })).toEqual([])
    expect(await found(path, { status: '500' })).toEqual([ONE.id])
  })

  it('counts torn, foreign and over-long lines, and reads on', async () => {
    const path = trailOf([...linesOf(ONE), 'not json', '{"a":1}', '', 'x'.repeat(MAX_LINE + 1), ...linesOf(TWO)])
    appendFileSync(path, completeLine(TWO).slice(0, 40))
    const trail = readTrail(path)
    expect((await all(trail)).map(({ id }) => id)).toEqual([ONE.id, TWO.id])
    expect(trail.counts).toMatchObject({ torn: 1, foreign: 3, tooLong: 1, lines: 8, exchanges: 2, files: 1 })
  })

  it('takes a last line that is whole but for its line feed', async () => {
    const path = trailOf([receivedLine(ONE)])
    appendFileSync(path, completeLine(ONE))
    expect(await found(path, { status: '200' })).toEqual([ONE.id])
  })

  it('counts the gaps that the trail names, whatever the query is', async () => {
    const trail = readTrail(trailOf([gapLine(3, 1), ...linesOf(ONE), gapLine(2, 0)]), { id: TWO.id })
    await all(trail)
    expect(trail.counts).toMatchObject({ gaps: 2, lost: 5, inDoubt: 1, exchanges: 0 })
  })

  it('reads the trail as it was when it began', async () => {
    const path = trailOf(linesOf(ONE))
    const ids: string[] = []
    for await (const { id } of readTrail(path)) {
      ids.push(id)
      appendFileSync(path, `${linesOf(TWO).join('\n')}\n`)
    }
    expect(ids).toEqual([ONE.id])
  })

  it('gives everything readable before it names unreadable files', async () => {
    const path = trailOf(linesOf(TWO))
    const archive = join(dirname(path), `${ARCHIVE}.gz`)
    writeFileSync(
      archive,
      gzipSync(Array.from({ length: 20_000 }, (_, n) => linesOf({ ...ONE, id: idOf(n + 10) }).join('\n')).join('\n')),
    )
    truncateSync(archive, 20_000)
    const ids: string[] = []
    const reading = (async () => {
      for await (const { id } of readTrail(path)) ids.push(id)
    })()
    await expect(reading).rejects.toMatchObject({
      code: 'FST_AUDIT_TRAIL_UNREADABLE',
      message: expect.stringContaining(archive),
    })
    expect(ids.length).toBeGreaterThan(10)
    expect(ids).toContain(TWO.id)
  })

  it('reads a file that is deleted after it began, as by a program that compresses it', async () => {
    const path = trailOf(linesOf(TWO))
    const directory = dirname(path)
    write(join(directory, ARCHIVE), linesOf(ONE))
    const ids: string[] = []
    for await (const { id } of readTrail(directory)) {
      ids.push(id)
      rmSync(path, { force: true })
    }
    expect(ids).toEqual([ONE.id, TWO.id])
  })

  it('goes on when retention deletes an archive that is not held open, and finds one that is renamed', async () => {
    const directory = temporaryDirectory()
    const nameOf = (n: number): string => join(directory, `audit-2026-03-24T18-00-00.000Z-${n}.log`)
    const numbers = Array.from({ length: 300 }, (_, index) => index + 1)
    for (const n of numbers) write(nameOf(n), linesOf({ ...ONE, id: idOf(n) }))
    const held = numbers.map(nameOf).sort().slice(0, 256)
    const [gone = 0, renamed = 0] = numbers.filter((n) => !held.includes(nameOf(n)))
    const trail = readTrail(directory)
    const ids: string[] = []
    for await (const { id } of trail) {
      ids.push(id)
      rmSync(nameOf(gone), { force: true })
      if (ids.length === 1) renameSync(nameOf(renamed), join(directory, 'renamed'))
    }
    expect(ids.sort()).toEqual(numbers.filter((n) => n !== gone).map(idOf))
    expect(trail.counts.deletedFiles).toEqual([nameOf(gone)])
  })

  it('reads only files in which something may have been received when it is asked for, by all that they hold', async () => {
    const path = trailOf(linesOf(TWO))
    const early: Made = { id: idOf(8), received: -90_000, completed: -90_000 }
    const late: Made = { id: idOf(9), received: 5, completed: 6 }
    write(join(dirname(path), 'audit-2026-03-20T00-00-00.000Z.log'), linesOf(early))
    // Its clock was ahead for a moment, and its name does not say so.
    write(join(dirname(path), 'audit-2026-03-21T00-00-00.000Z.log'), [...linesOf(early), ...linesOf(late)])
    const trail = readTrail(path, { since: new Date('2026-03-24T00:00:00Z') })
    expect((await all(trail)).map(({ id }) => id).sort()).toEqual([TWO.id, late.id])
    expect(trail.counts).toMatchObject({ skippedFiles: 0, copies: [expect.stringContaining('20T00')], files: 2 })
    const ended = readTrail(path, { until: new Date('2026-03-24T00:00:00Z') })
    expect((await all(ended)).map(({ id }) => id)).toEqual([early.id])
    expect(ended.counts).toMatchObject({ skippedFiles: 1, files: 1 })
  })

  it('can be left at any point', async () => {
    const path = trailOf(Array.from({ length: 5000 }, (_, n) => linesOf({ ...ONE, id: idOf(n) })).flat())
    for await (const { id } of readTrail(path)) {
      expect(id).toBe(idOf(0))
      break
    }
  })

  it.each<[TrailQuery, RegExp]>([
    [{ since: 'yesterday' }, /^since "yesterday"/],
    [{ since: '1h', until: '2h' }, /^since is not before until/],
    [{ status: '6xx' }, /^status "6xx"/],
    [{ status: '403', open: true }, /^open is what has no outcome/],
    [{ annotations: { order: true }, open: true }, /^open is what has no outcome/],
    [{ id: 'abc' }, /^id "abc" is too short/],
    [{ endpoint: '/v1/:name' }, /^endpoint "\/v1\/:name" is a route pattern/],
    [{ endpoint: '/{a' }, /^endpoint "\/\{a" has a "\{"/],
  ])('refuses %o at once', (query, message) => {
    expect(() => readTrail('nowhere', query)).toThrow(expect.objectContaining({ code: 'FST_AUDIT_INVALID_QUERY' }))
    expect(() => readTrail('nowhere', query)).toThrow(message)
  })
})

describe('a query', () => {
  const base: Made = {
    ...ONE,
    accessor: 'u-7',
    name: 'Ann',
    operation: 'DELETE',
    endpoint: '/v1/jobs/web?x=1',
    namespace: 'team',
  }

  it.each([
    [{ actor: 'u-7' }, true],
    [{ actor: ['nobody', 'Ann'] }, true],
    [{ actor: 'ann' }, false],
    [{ operation: 'delete' }, true],
    [{ operation: ['GET', 'POST'] }, false],
    [{ endpoint: '/v1/jobs/*' }, true],
    [{ endpoint: '/v1/jobs/web' }, true],
    [{ endpoint: '/v{1..3}/{jobs,nodes}/*' }, true],
    [{ endpoint: '/v1/jobs' }, false],
    [{ endpoint: '*?x=1' }, true],
    [{ endpoint: '*?y=1' }, false],
    [{ status: ['404', '2xx'] }, true],
    [{ namespace: 'team' }, true],
    [{ namespace: 'tea' }, false],
    [{ id: idOf(1).slice(0, 8) }, true],
    [{ id: idOf(2) }, false],
    [{ annotations: { order: true } }, true],
    [{ annotations: { order: '42', n: '7' } }, true],
    [{ annotations: { order: '42', n: '8' } }, false],
    [{ annotations: { toString: true } }, false],
    [{ since: '2026-03-24T17:00:01Z', until: '2026-03-24T17:00:01.001Z' }, true],
    [{ since: '2026-03-24T17:00:01.001Z' }, false],
    [{ until: '2026-03-24T17:00:01Z' }, false],
  ] as const)('of %o', async (query, isFound) => {
    const path = trailOf(linesOf({ ...base, annotations: { order: '42', n: 7 } }))
    expect(await found(path, query)).toEqual(isFound ? [base.id] : [])
  })

  it('finds a path however it was spelled', async () => {
    const path = trailOf(
      ['/%61dmin', '/admin', 'http://host/admin', '/admin%2Fx'].flatMap((endpoint, n) =>
        linesOf({ ...ONE, id: idOf(n), endpoint }),
      ),
    )
    expect(await found(path, { endpoint: '/admin' })).toEqual([idOf(0), idOf(1), idOf(2)])
  })

  it('for an actor does not find as open a request whose actor became known before its outcome', async () => {
    const path = trailOf([
      receivedLine({ ...ONE, accessor: 'anonymous', name: 'Anonymous Token' }),
      completeLine({ ...ONE, accessor: 'u-7' }),
    ])
    expect(await found(path, { actor: 'u-7' })).toEqual([ONE.id])
    expect(await found(path, { actor: 'anonymous' })).toEqual([])
    expect(await found(path, { actor: 'Anonymous Token', open: true })).toEqual([])
  })

  it('does not find a rancher outcome whose request does not match', async () => {
    const path = trailOf(linesOf({ ...ONE, received: 0, completed: 100 }, 'rancher'))
    expect(await found(path, { since: new Date('2026-03-24T17:01:00Z') })).toEqual([])
    expect(await found(path, { operation: 'GET', status: '200', actor: 'u-1' })).toEqual([ONE.id])
  })
})

const maybe = <Value>(values: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(values, { nil: undefined })
const ACCESSORS = ['u-1', 'u-2', 'anonymous', 'müller "x"']
const ENDPOINTS = ['/', '/v1/jobs', '/v1/jobs/web?x=1', '/%61']
const STATUSES = [200, 204, 403, 500]

const madeExchange = fc.record({
  received: fc.integer({ min: 0, max: 20 }),
  delay: maybe(fc.integer({ min: 0, max: 20 })),
  accessor: fc.constantFrom(...ACCESSORS),
  operation: fc.constantFrom('GET', 'DELETE'),
  endpoint: fc.constantFrom(...ENDPOINTS),
  namespace: fc.constantFrom('default', 'team'),
  status: fc.constantFrom(...STATUSES),
  annotations: maybe(fc.constant({ order: '42' })),
  correction: maybe(fc.record({ status_code: fc.constantFrom(...STATUSES) })),
  format: fc.constantFrom('json' as const, 'rancher' as const),
  /** The places of its lines among the others. */
  places: fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 3, maxLength: 3 }),
})

const madeQuery = fc.record({
  since: maybe(fc.integer({ min: 0, max: 10 })),
  until: maybe(fc.integer({ min: 11, max: 22 })),
  actor: maybe(fc.constantFrom(...ACCESSORS)),
  operation: maybe(fc.constantFrom('GET', 'DELETE')),
  endpoint: maybe(fc.constantFrom('/v1/*', '/a', '*?x=1')),
  namespace: maybe(fc.constantFrom('default', 'team')),
  status: maybe(fc.constantFrom('403', '2xx')),
  order: fc.boolean(),
  open: fc.boolean(),
})

type Exchange = Made & { format: 'json' | 'rancher'; places: number[] }

/** Tells whether a query matches, without regard to speed or memory. */
function naive(made: Exchange, query: typeof madeQuery extends fc.Arbitrary<infer Value> ? Value : never): boolean {
  const status = made.correction?.status_code ?? (made.completed === undefined ? undefined : made.status)
  const isOpen = status === undefined
  const matchesEndpoint = {
    '/v1/*': made.endpoint?.startsWith('/v1/'),
    '/a': made.endpoint === '/%61',
    '*?x=1': made.endpoint?.endsWith('?x=1'),
  }
  return (
    (query.since === undefined || made.received >= query.since) &&
    (query.until === undefined || made.received < query.until) &&
    (query.actor === undefined || made.accessor === query.actor) &&
    (query.operation === undefined || made.operation === query.operation) &&
    (query.endpoint === undefined || matchesEndpoint[query.endpoint as '/a'] === true) &&
    (query.namespace === undefined || (made.format === 'json' && made.namespace === query.namespace)) &&
    (query.status !== '403' || status === 403) &&
    (query.status !== '2xx' || (status !== undefined && status < 300)) &&
    (!query.order || (made.format === 'json' && made.completed !== undefined && made.annotations !== undefined)) &&
    (!query.open || isOpen)
  )
}

describe('a query over a trail', () => {
  it('finds what a filter over all of it in memory finds', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(madeExchange, { maxLength: 12 }), madeQuery, async (parts, query) => {
        const exchanges = parts.map(({ delay, ...made }, index): Exchange => {
          const completed = delay === undefined ? {} : { completed: made.received + delay }
          return { ...defined(made), ...completed, id: idOf(index) }
        })
        const path = trailOf(interleaved(exchanges))
        const { since, until, order, ...rest } = query
        // An open request has neither.
        fc.pre(!(rest.open && (order || rest.status !== undefined)))
        const times = {
          since: since === undefined ? undefined : dateOf(since),
          until: until === undefined ? undefined : dateOf(until),
        }
        const result = await found(path, { ...rest, ...times, annotations: order ? { order: '42' } : undefined })
        rmSync(dirname(path), { recursive: true })
        expect(result.sort()).toEqual(exchanges.filter((made) => naive(made, query)).map(({ id }) => id))
      }),
    )
  })
})

function interleaved(exchanges: readonly Exchange[]): string[] {
  const placed = exchanges.flatMap((made) => {
    const places = [...made.places].sort((one, other) => one - other)
    return linesOf(made, made.format).map((line, index) => ({ line, place: places[index] ?? 0 }))
  })
  return placed.sort((one, other) => one.place - other.place).map(({ line }) => line)
}

function defined<Value extends object>(value: Value): { [Key in keyof Value]: Exclude<Value[Key], undefined> } {
  return JSON.parse(JSON.stringify(value))
}

function dateOf(seconds: number): Date {
  return new Date(Date.parse('2026-03-24T17:00:00.000Z') + seconds * 1000)
}
