import { describe, expect, it } from 'vitest'
import { check, servers } from './check.js'
import { TRANSPORTS, type Transport } from './clients.js'
import { observe } from './observe.js'
import { handlerOf, type Program, raw, reply, type Source, type Step, script } from './program.js'
import { AUDITS } from './servers.js'

/** Made small by fast-check. */
interface Found {
  name: string
  transports?: readonly Transport[]
  program: Program
  /** It must be as on the plain server, and not only as on one with other hooks that wait. */
  isStrict?: true
}

const empty: Source = { kind: 'node', chunks: [], pace: 0, fails: false }
const small: Source = { ...empty, chunks: ['small'] }
const error = { $: 'error' } as const
const throws = { outcome: { how: 'throws', error } } as const
const returnsReply = { outcome: { how: 'returns the reply' } } as const
const SOCKETS: readonly Transport[] = ['HTTP/1', 'HTTP/2']

const set = (name: string, to: string | number): Step => ({ on: 'raw', set: name, to })

const FOUND: Found[] = [
  {
    name: 'a chunk in an unknown encoding is refused where it is written',
    program: handlerOf([raw('write', 'a', 'nope')]),
  },
  {
    name: 'a last chunk in an unknown encoding is refused where it is written',
    program: handlerOf([raw('end', 'a', 'nope')]),
  },
  {
    name: 'an end after the connection was cut makes no whole reply of it',
    program: handlerOf([raw('write', 'a'), raw('destroy'), raw('end')]),
  },
  {
    name: 'an end after a second reply that failed makes no whole reply of the first',
    program: handlerOf([raw('flushHeaders'), reply('send', null), raw('end', 'a')]),
  },
  {
    name: 'a Response whose handler throws is cut',
    program: handlerOf([reply('send', { $: 'Response', status: 202, text: 'a' })], { isAsync: true, ...throws }),
  },
  {
    name: 'a head that was sent comes before the failure that follows',
    program: handlerOf([raw('flushHeaders')], throws),
  },
  {
    name: 'a head without a body comes before the failure that follows',
    program: handlerOf([raw('writeHead', 304)], throws),
  },
  {
    name: 'a head that was sent comes although its end is refused',
    program: handlerOf([raw('flushHeaders'), raw('end', 5)]),
    transports: ['HTTP/1'],
  },
  {
    name: 'a stream that fails after its first chunk',
    program: handlerOf([reply('send', { $: 'source', source: { ...small, pace: 2, fails: true } })]),
  },
  { name: 'destroying a reply that has begun', program: handlerOf([raw('write', 'a'), raw('destroy'), { ask: true }]) },
  { name: 'a reply that is awaited and never comes', program: handlerOf([], returnsReply) },
  {
    name: 'a reason phrase that is set after the reply',
    program: handlerOf([reply('send', null), set('statusMessage', 'Odd')]),
  },
  {
    name: 'a status that is set after the head',
    program: handlerOf([raw('flushHeaders'), reply('code', 500), reply('send', { $: 'source', source: empty })]),
  },
  {
    name: 'a Response after a head',
    program: handlerOf([raw('writeHead', 201), reply('send', { $: 'Response', status: 202, text: 'a' })]),
  },
  {
    name: 'a chunk that was sent comes before the failure that follows',
    program: handlerOf([raw('write', 'a'), { turns: 2 }, reply('send', 'b')]),
  },
  {
    name: 'a chunk that was sent in the same turn comes before the failure that follows',
    program: handlerOf([raw('write', 'a')], throws),
  },
  {
    name: 'early hints after a head that is composed and not sent come before it',
    // Over HTTP/2 a body that is longer than its content-length is an error of the protocol.
    transports: ['HTTP/1', 'inject', 'inject as a stream'],
    program: handlerOf(
      [
        raw('setHeader', 'content-length', '5'),
        raw('writeHead', 200),
        raw('writeEarlyHints', { link: '</a.css>; rel=preload' }),
      ],
      { at: 0, outcome: { how: 'returns', value: { $: 'Response', status: 202, text: 'response' } } },
    ),
  },
  { name: 'an end returns what it does', program: handlerOf([raw('end')]) },
  {
    name: 'a head without its body, and a destroyed stream, end no process',
    program: handlerOf([raw('writeHead', 200), raw('destroy')]),
  },
  { name: 'a reply that is destroyed before its handler throws', program: handlerOf([raw('destroy')], throws) },
  {
    name: 'a head that Node refuses ends no process',
    program: handlerOf([raw('writeHead', 201, 'bad\nreason')], throws),
  },
  {
    name: 'a chunk after the reply is no part of it',
    transports: ['inject'],
    program: handlerOf([reply('send', 'a'), raw('write', 'b')]),
  },
  {
    name: 'a status that is no number, of a reply that never comes',
    program: handlerOf([set('statusCode', 'x')], returnsReply),
  },
  {
    name: 'a status with a fraction, of a reply that never comes',
    program: handlerOf([set('statusCode', 200.5)], returnsReply),
  },
  {
    name: 'an async handler that pipes at once is not taken for one that has not replied',
    program: handlerOf([{ pipe: small, by: 'pipeline' }], { isAsync: true }),
    transports: SOCKETS,
    isStrict: true,
  },
  {
    name: 'what is written after the reply of an async handler ends no process',
    program: handlerOf([reply('send', { a: 1 }), raw('write', 'a'), raw('end', 'b')], { isAsync: true }),
    transports: SOCKETS,
    isStrict: true,
  },
  {
    name: 'a second head after a reply without a body ends no process',
    program: {
      ...handlerOf([raw('writeHead', 200)], { isAsync: true, isBare: true, at: 0 }),
      method: 'HEAD',
    },
    transports: ['HTTP/2'],
    isStrict: true,
  },
  {
    name: 'a second head after the end ends no process',
    program: {
      method: 'GET',
      isKeptAlive: false,
      scripts: {
        onRequest: script([raw('writeHead', 1000)], { isAsync: true, isBare: true, at: 0 }),
        handler: script([raw('end')], throws),
      },
    },
    transports: ['HTTP/2'],
    isStrict: true,
  },
]

describe.each(TRANSPORTS)('by %s', (transport) => {
  const { current } = servers()
  const found = FOUND.filter(({ transports = TRANSPORTS }) => transports.includes(transport))

  it.each(found)('$name', async ({ program, isStrict }) => {
    await check(program, transport, current(), undefined, isStrict && [])
  })
})

describe('by HTTP/2, while the reply is held', () => {
  const { current } = servers()
  const chunks = ['small', 'small'] as const
  const program = handlerOf([reply('send', { $: 'source', source: { kind: 'node', chunks, pace: 1, fails: true } })])

  it.each(AUDITS.filter(({ sinkTurns }) => sinkTurns > 0))(
    'no chunk before the failure of its source is lost: %o',
    async (audit) => {
      const { received } = await observe(program, audit, 'HTTP/2', current())
      expect(received.text).toMatch(/partpart$/)
    },
  )
})
