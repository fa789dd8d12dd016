import fc from 'fast-check'
import type { Transport } from './clients.js'
import type { Outcome, Program, Script, Source, Special, Step, Value } from './program.js'
import { asksWhileMuchIsSent, withOneReplier } from './repliers.js'

const STEPS_OF_HANDLER = 9
const STEPS_OF_HOOK = 4

const callback = fc.constant<Special>({ $: 'callback' })
const error = fc.constantFrom<Special>({ $: 'error' }, { $: 'error', status: 418 })

const source: fc.Arbitrary<Source> = fc.record({
  kind: fc.constantFrom('node', 'web'),
  chunks: fc.array(weighted<'small' | 'large'>([6, 'small'], [1, 'large']), { maxLength: 3 }),
  pace: fc.nat(2),
  fails: fc.boolean(),
})

const nodeSource = source.map((one): Source => ({ ...one, kind: 'node' }))

const status: fc.Arbitrary<Value> = weighted<Value>(
  [8, 200],
  [3, 201],
  [2, 204],
  [2, 304],
  [2, 404],
  [2, 500],
  [1, '202'],
  [1, 200.5],
  [1, 99],
  [1, 1000],
  [1, 'x'],
  [1, undefined],
)

const headerPair: fc.Arbitrary<[string, Value]> = weighted<[string, Value]>(
  [4, ['x-a', '1']],
  [3, ['X-Upper', '2']],
  [2, ['content-type', 'text/plain']],
  [2, ['content-length', '5']],
  [1, ['content-length', '0']],
  [2, ['set-cookie', ['a=1', 'b=2']]],
  [1, ['transfer-encoding', 'chunked']],
  [1, ['connection', 'close']],
  [1, ['connection', 'keep-alive']],
  [1, ['trailer', 'x-t']],
  [1, ['date', 'never']],
  [1, ['bad name', '3']],
  [1, ['x-bad', 'a\nb']],
  [1, ['x-none', undefined]],
  [1, ['x-number', 7]],
)

const headers: fc.Arbitrary<Value> = fc
  .tuple(fc.array(headerPair, { maxLength: 3 }), weighted([4, 'object'], [1, 'flat'], [1, 'pairs']))
  .map(([pairs, form]) => {
    if (form === 'flat') return pairs.flat()
    return form === 'pairs' ? pairs : Object.fromEntries(pairs)
  })

const chunk: fc.Arbitrary<Value> = weighted<Value>(
  [6, 'chunk'],
  [1, ''],
  [2, { $: 'buffer', text: 'bytes' }],
  [1, { $: 'bytes', text: 'array' }],
  [1, { $: 'words', text: 'ab' }],
  [1, { $: 'large', text: 'l' }],
  [1, 5],
  [1, null],
  [1, undefined],
  [1, {}],
)

// 'hex' of an odd length ends the process in Node itself.
const encoding = weighted<Value>([3, 'utf8'], [1, 'latin1'], [1, 'base64'], [1, 'nope'], [1, null])

const headArgs: fc.Arbitrary<readonly Value[]> = fc.oneof(
  fc.tuple(status),
  fc.tuple(status, headers),
  fc.tuple(status, weighted<Value>([3, 'Reason'], [1, 'bad\nreason'], [1, undefined]), headers),
  fc.tuple(status, weighted<Value>([3, 'Reason'], [1, 'bad\nreason'])),
)

const writeArgs: fc.Arbitrary<readonly Value[]> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(chunk) },
  { weight: 1, arbitrary: fc.tuple(chunk, encoding) },
  { weight: 2, arbitrary: fc.tuple(chunk, callback) },
  { weight: 1, arbitrary: fc.tuple(chunk, encoding, callback) },
)

const endArgs: fc.Arbitrary<readonly Value[]> = fc.oneof(
  { weight: 4, arbitrary: fc.constant([]) },
  { weight: 2, arbitrary: fc.tuple(callback) },
  { weight: 1, arbitrary: fc.constant([null, null, null]) },
  { weight: 4, arbitrary: writeArgs.filter(isTakenByEnd) },
)

const trailers: fc.Arbitrary<Value> = weighted<Value>(
  [4, { 'x-t': 'trailing' }],
  [1, [['x-t', 'pair']]],
  [1, { 'bad name': 'x' }],
  [1, { 'x-t': 'bad\nvalue' }],
)

const payload: fc.Arbitrary<Value> = fc.oneof(
  {
    weight: 8,
    arbitrary: weighted<Value>(
      [4, 'text'],
      [1, ''],
      [3, { a: 1 }],
      [1, { $: 'buffer', text: 'bytes' }],
      [1, { $: 'bytes', text: 'array' }],
      [1, { $: 'large', text: 'l' }],
      [1, null],
      [1, undefined],
      [1, 5],
      [1, true],
      [1, { $: 'Response', status: 202, text: 'response' }],
      [1, { $: 'Response', status: 203, text: null }],
    ),
  },
  { weight: 4, arbitrary: source.map((one): Value => ({ $: 'source', source: one })) },
  { weight: 1, arbitrary: error },
)

const rawCall: fc.Arbitrary<Step> = fc.oneof(
  call('raw', 'writeHead', headArgs, 5),
  call('raw', 'write', writeArgs, 6),
  call('raw', 'end', endArgs, 5),
  call('raw', 'setHeader', headerPair, 2),
  call('raw', 'appendHeader', headerPair, 1),
  call('raw', 'removeHeader', headerName(), 1),
  call('raw', 'flushHeaders', fc.constant([]), 2),
  call('raw', 'cork', fc.constant([]), 1),
  call('raw', 'uncork', fc.constant([]), 1),
  call('raw', 'addTrailers', fc.tuple(trailers), 1),
  call('raw', 'writeContinue', fc.oneof(fc.constant([]), fc.tuple(callback)), 1),
  call('raw', 'writeEarlyHints', fc.tuple(fc.constant<Value>({ link: '</a.css>; rel=preload' })), 1),
  call('raw', 'writeProcessing', fc.constant([]), 1),
  call('raw', 'destroy', fc.oneof(fc.constant([]), fc.tuple(error)), 1),
)

const rawSet: fc.Arbitrary<Step> = fc.oneof(
  set('raw', 'statusCode', status),
  set('raw', 'statusMessage', weighted<Value>([3, 'Odd'], [1, 'bad\nreason'], [1, ''])),
  set('raw', 'sendDate', fc.constant(false)),
  set('raw', 'shouldKeepAlive', fc.constant(false)),
  set('raw', 'strictContentLength', fc.constant(true)),
)

const replyCall: fc.Arbitrary<Step> = fc.oneof(
  call('reply', 'send', fc.tuple(payload), 8),
  call('reply', 'header', headerPair, 2),
  call('reply', 'removeHeader', headerName(), 1),
  call('reply', 'code', fc.tuple(status), 2),
  call('reply', 'type', fc.constant(['text/html']), 1),
  call('reply', 'trailer', fc.tuple(fc.constant('x-t'), fc.boolean().map(trailer)), 1),
  call('reply', 'redirect', fc.constant(['/elsewhere']), 1),
  call('reply', 'hijack', fc.constant([]), 2),
  call('reply', 'callNotFound', fc.constant([]), 1),
  call('reply', 'writeEarlyHints', fc.constant<Value[]>([{ link: '</a.css>; rel=preload' }]), 1),
)

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: rawCall },
  { weight: 10, arbitrary: replyCall },
  { weight: 5, arbitrary: fc.constant<Step>({ ask: true }) },
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 8 }).map((turns): Step => ({ turns })) },
  { weight: 2, arbitrary: rawSet },
  { weight: 1, arbitrary: fc.constant<Step>({ implicit: true }) },
  { weight: 1, arbitrary: fc.constant<Step>({ watch: true }) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('writeHead' as const, 'write' as const, 'end' as const, 'flushHeaders' as const)
      .map((method): Step => ({ wrap: method })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(nodeSource, fc.constantFrom('pipe' as const, 'pipeline' as const))
      .map(([pipe, by]): Step => ({ pipe, by })),
  },
)

const handlerOutcome: fc.Arbitrary<Outcome> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Outcome>({ how: 'returns', value: undefined }) },
  { weight: 2, arbitrary: payload.map((value): Outcome => ({ how: 'returns', value })) },
  { weight: 3, arbitrary: fc.constant<Outcome>({ how: 'returns the reply' }) },
  { weight: 2, arbitrary: error.map((thrown): Outcome => ({ how: 'throws', error: thrown })) },
)

const hookOutcome: fc.Arbitrary<Outcome> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Outcome>({ how: 'returns', value: undefined }) },
  { weight: 1, arbitrary: fc.constant<Outcome>({ how: 'returns', value: 'replaced' }) },
  { weight: 1, arbitrary: fc.constant<Outcome>({ how: 'returns the reply' }) },
  { weight: 1, arbitrary: fc.constant<Outcome>({ how: 'never' }) },
  { weight: 2, arbitrary: error.map((thrown): Outcome => ({ how: 'throws', error: thrown })) },
)

const handler = scriptOf(STEPS_OF_HANDLER, handlerOutcome)
const hook = fc.option(scriptOf(STEPS_OF_HOOK, hookOutcome), { nil: undefined, freq: 5 })
/** `freq` of `option` is that of a value, in that many plus one. */
const rarely = fc.nat(4).chain((draw) => (draw === 0 ? hook : fc.constant(undefined)))

const program: fc.Arbitrary<Program> = fc.record({
  method: weighted<Program['method']>([8, 'GET'], [1, 'HEAD'], [2, 'POST']),
  isKeptAlive: fc.boolean(),
  scripts: fc.record({
    handler,
    onRequest: rarely,
    preHandler: rarely,
    onSend: rarely,
    onError: rarely,
    errorHandler: rarely,
  }),
})

/**
 * Generates programs for a transport. `inject` has no connection: the fate of a second reply, or of calls after the end,
 * depends on when it emits 'finish'. The socket transports test these.
 */
export function programFor(transport: Transport): fc.Arbitrary<Program> {
  if (transport === 'HTTP/1') return program
  const byOne = program.map(withOneReplier)
  if (transport === 'HTTP/2') return fc.oneof(program, byOne)
  return byOne.filter((made) => !asksWhileMuchIsSent(made))
}

function scriptOf(maxLength: number, outcome: fc.Arbitrary<Outcome>): fc.Arbitrary<Script> {
  return fc.record({
    isAsync: fc.boolean(),
    isBare: fc.nat(3).map((draw) => draw === 3),
    steps: fc.array(step, { maxLength, size: 'max' }),
    at: fc.nat(maxLength),
    outcome,
  })
}

function weighted<Choice>(...choices: Array<[weight: number, choice: Choice]>): fc.Arbitrary<Choice> {
  return fc.oneof(...choices.map(([weight, choice]) => ({ weight, arbitrary: fc.constant(choice) })))
}

/** A last chunk that Node refuses leaves its connection corked for ever, and what is held with it. */
function isTakenByEnd([chunk, encoding]: readonly Value[]): boolean {
  const isRefused = typeof chunk === 'number' || (typeof chunk === 'object' && chunk !== null && !isBytes(chunk))
  return !isRefused && encoding !== 'nope'
}

function isBytes(chunk: object): boolean {
  return '$' in chunk && chunk.$ !== 'words'
}

function headerName(): fc.Arbitrary<readonly Value[]> {
  return fc
    .constantFrom('x-a', 'content-type', 'content-length', 'transfer-encoding', 'date', 'connection')
    .map((name) => [name])
}

function trailer(late: boolean): Special {
  return { $: 'trailer', late }
}

function call(on: 'raw' | 'reply', name: string, args: fc.Arbitrary<readonly Value[]>, weight: number) {
  return { weight, arbitrary: args.map((made): Step => ({ on, call: name, args: made })) }
}

function set(on: 'raw' | 'reply', name: string, value: fc.Arbitrary<Value>): fc.Arbitrary<Step> {
  return value.map((to): Step => ({ on, set: name, to }))
}
