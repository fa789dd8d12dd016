import type { Mode } from './modes.js'

export interface KnownDifference {
  /** The test file, below `node_modules`. */
  readonly file: string
  readonly test: string
  /** Why the test cannot pass, although nothing that a client or a handler sees is wrong. */
  readonly reason: string
  /** The test also passes now and then: its own timing decides. */
  readonly sometimes?: true
  /** The one mode in which it fails; both audited ones when not said. */
  readonly mode?: Mode
}

/** Every test of the file: one that hangs ends the process of all. */
export const EVERY = '(every test)'

const HANDSHAKE_LATER =
  'A handshake is answered once it is recorded: an upstream sees the connection before the client has opened, and these tests look for it only then.'

const FINISHES_LATER =
  'A reply is finished when its record is stored, so that "request completed" is logged after complaints of later replies.'

const HALF_CLOSED =
  'The client half-closes its connection with its request, and Node ends what is not answered within a turn or two: of any server that waits.'

const OWN_TIMING =
  'The test ends by itself when its replies take longer than it expects, for it waits for none of them.'

const MEASURES_THE_MACHINE = 'It measures how busy the machine is, and other tests run beside it.'

const FIXED_PORT = 'It listens on a port of its own choice, which the same test in another mode may have at that time.'

const HELD_IS_NOT_IDLE =
  'A held reply keeps its connection from being closed with the idle ones, and the next request on it is still served.'

/** Tests that pass with hooks that wait and fail with the audit. One that passes again is to be taken out. */
export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    file: 'fastify/test/hooks.on-ready.test.js',
    test: 'onReady does not call done',
    reason: 'Fastify misses the name of a hook that never ends as soon as any plugin has an `onReady` hook of its own.',
  },
  {
    file: 'fastify/test/async-await.test.js',
    test: 'server logs an error if reply.send is called and a value is returned via async/await',
    reason: FINISHES_LATER,
  },
  {
    file: 'fastify/test/logger/logging.test.js',
    test: 'logging > reply.send logs an error if called twice in a row',
    reason: FINISHES_LATER,
  },
  {
    file: 'fastify/test/close-pipelining.test.js',
    test: 'Should close the socket abruptly - pipelining - return503OnClosing: false',
    reason: HELD_IS_NOT_IDLE,
  },
  { file: '@fastify/http-proxy/test/websocket.js', test: EVERY, mode: 'audited later', reason: HANDSHAKE_LATER },
  { file: '@fastify/http-proxy/test/ws-reconnect.js', test: EVERY, mode: 'audited later', reason: HANDSHAKE_LATER },
  {
    file: '@fastify/caching/test/cache.test.js',
    test: 'etag cache life is customizable',
    sometimes: true,
    reason: OWN_TIMING,
  },
  ...[
    'absolute-form request targets cannot bypass path-scoped middleware',
    'absolute-form targets cannot bypass parameterized middleware',
    'absolute-form targets cannot bypass middleware inherited by a child scope',
  ].map((test) => ({
    file: '@fastify/middie/test/security-absolute-form-bypass.test.js',
    test,
    mode: 'audited at once' as const,
    sometimes: true as const,
    reason: HALF_CLOSED,
  })),
  {
    file: '@fastify/websocket/test/base.test.js',
    test: 'Should be able to pass a custom server option to ws',
    sometimes: true,
    reason: FIXED_PORT,
  },
  ...[
    'POST request without form body works',
    'POST request with form body and without body-parser works',
    'POST request with form body and body-parser hangs up, compatibility case',
  ].map((test) => ({
    file: '@fastify/express/test/form-data.test.js',
    test,
    sometimes: true as const,
    reason: MEASURES_THE_MACHINE,
  })),
  ...['eventLoopUtilization', 'index', 'pressurehandler', 'statusRoute'].map((name) => ({
    file: `@fastify/under-pressure/test/${name}.test.js`,
    test: EVERY,
    sometimes: true as const,
    reason: MEASURES_THE_MACHINE,
  })),
]
