import Fastify, { type FastifyInstance } from 'fastify'
import { expect, it } from 'vitest'
import { memorySink } from '../../../src/index.js'
import { ChangeReport } from '../../../src/redact/change-report.js'
import { RedactedJson } from '../../../src/redact/redacted-json.js'
import { isSecretKey, Redactor } from '../../../src/redact/redactor.js'
import { audited } from '../../support/app.js'

const LENGTH = 2 ** 15

/** Pieces that begin a form of secret, or almost do. Each is repeated through a whole text. */
const PIECES = [
  ...['a', '=', ':', '"', "'", '\\', '%', '%25', '%41', '%2525', '%3C', '%zz', '[', '{', '.', '-', ' ', 'é', '\ud800'],
  ...[
    'a=',
    'password',
    'password=',
    'token="',
    'password: ',
    '\\"',
    "password='\\",
    '&password=',
    '[password]',
    'cookie: ',
    'a\\',
    ';',
  ],
  ...['token: {', "token:{'", 'token: |\n ', 'token=\n', 'password:\n - ', 'password: !a |\n', '"""', 'password="""'],
  ...[
    'API key: ',
    'key:',
    'key:value:',
    'name: a value=',
    '$_POST["password"]=',
    '"password":"x",',
    '["password","x"],',
    'name: password\n',
    '{"a":',
  ],
  ...['token: expired ', 'password: is ', 'token: }', 'token%253Da ', 'bearer ', 'Bearer a-', 'token a1', '[token] '],
  ...['basic dXNlcjpwYXNz ', 'digest response=', 'digest response=0a', 'eyJ', 'eyJ.', '-eyJ', 'eyJa.b.c '],
  ...['1', '1 ', '4.', '444 444 ', '4111 ', '4444 ', '999-', 'a1', '4111111111111111 ', '4111\u2009', '\u00a0'],
  ...['-----BEGIN', '-----BEGIN PRIVATE KEY-----', '://', '://a@', '://a:', '//a:', '@tcp(', 'a:b@tcp('],
  ...[
    '<',
    '<a>',
    '<password>',
    '</password>',
    '<password><a>',
    '<![CDATA[',
    '<password><![CDATA[',
    '<a b="c"',
    'a="b" ',
  ],
  ...['<apassword x=', '<key>password</key><string>', '<input name="password" value="', '--a ', '--password '],
  ...['--password "', '-u a:b ', 'ghp_', 'sk-proj-', 'xoxb-', 'SG.', '-a', '_a', '/a', 'AKIA', 'Q~', 'a7Q~', 'T0/B0/'],
]

const redactor = new Redactor()
const newChanges = (): ChangeReport => new ChangeReport(redactor)
const written = (value: unknown): string => new RedactedJson(2 ** 22, newChanges()).write(value, true)

/** The places where a client can put a text. */
const PLACES: ReadonlyArray<readonly [place: string, redact: (text: string) => unknown]> = [
  ['a value', (text) => written({ a: text })],
  ['JSON in a value', (text) => written({ a: JSON.stringify([text]) })],
  ['JSON alone', (text) => redactor.value(`["${text}"]`, newChanges())],
  ['a key', (text) => written({ [text]: 1 })],
  ['a key alone', isSecretKey],
  [
    'keys',
    (text) => written(Object.fromEntries(Array.from({ length: 16 }, (_, index) => [index + text.slice(0, 4000), 1]))),
  ],
  ['an error', (text) => redactor.text(text, 'response.error', newChanges())],
  ['a query', (text) => redactor.endpoint(`/a?${text}=${text}`, undefined, newChanges())],
  [
    'an encoded query',
    (text) =>
      redactor.endpoint(
        `/a?q=${encodeURIComponent(text.slice(0, LENGTH / 4).toWellFormed())}`,
        undefined,
        newChanges(),
      ),
  ],
  ['the path of a secret route', (text) => redactor.endpoint(`/reset/${text}`, '/reset/:token', newChanges())],
]

/** Measures milliseconds of CPU, so that other processes make no difference. */
function cpuOf(call: () => unknown, calls = 1): number {
  const start = process.cpuUsage()
  for (let index = 0; index < calls; index++) call()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / calls / 1000
}

/**
 * `JSON.parse` copies letters at several gigabytes a second; on a quiet machine the worst of these takes up to 1,000 times
 * as long. A search that reads its text once for each of its pieces takes 100,000 times as long.
 */
const MOST = 5000

/** The limit of a whole request: the worst takes 300 times as long. */
const MOST_OF_REQUEST = 1000

it.each(PLACES)('takes time in proportion to the length of any text: %s', (_, redact) => {
  const letters = JSON.stringify('a'.repeat(LENGTH))
  const parsing = cpuOf(() => JSON.parse(letters), 200)
  const slow = PIECES.filter((piece) => {
    const text = piece.repeat(Math.ceil(LENGTH / piece.length)).slice(0, LENGTH)
    // One slow run may be due to compiling or garbage collection; three are not.
    return [1, 2, 3].every(() => cpuOf(() => redact(text)) > MOST * parsing)
  })
  expect(slow).toEqual([])
})

it('adds little to the cost of reading a body at the level `request`, with the worst pieces in every place', async () => {
  const { app } = await audited({
    options: { level: 'request', capture: { requestHeaders: ['x-note'], maxBodyBytes: 2 ** 20 } },
    factory: { bodyLimit: 2 ** 23 },
    sink: memorySink(),
  })
  const bare = Fastify({ bodyLimit: 2 ** 23 })
  for (const server of [app, bare]) server.post('/echo', async () => 'ok')
  for (const piece of ['444 444 ', 'token%253Da ', '4111 ']) {
    const text = piece.repeat(2 ** 20 / piece.length)
    const bodies = [{ [text]: 1 }, { a: text.slice(0, 2 ** 18) }, { a: [text, text] }].map((body) =>
      JSON.stringify(body),
    )
    for (const body of bodies) {
      const parsing = cpuOf(() => JSON.parse(body), 20)
      const audit = (await cpuOfRequest(app, body, piece)) - (await cpuOfRequest(bare, body, piece))
      expect(audit, `${piece} in ${body.slice(0, 8)}`).toBeLessThan(MOST_OF_REQUEST * parsing)
    }
  }
  await bare.close()
})

/** Takes the least of three runs, because the first ones include compiling. */
async function cpuOfRequest(app: FastifyInstance, payload: string, piece: string): Promise<number> {
  const times: number[] = []
  const note = piece.repeat(1000)
  for (let time = 0; time < 3; time++) {
    const start = process.cpuUsage()
    const headers = { 'content-type': 'application/json', 'x-note': note, 'user-agent': note }
    const reply = await app.inject({ method: 'POST', url: `/echo?q=${encodeURIComponent(note)}`, headers, payload })
    expect(reply.statusCode).toBe(200)
    const { user, system } = process.cpuUsage(start)
    times.push((user + system) / 1000)
  }
  return Math.min(...times)
}
