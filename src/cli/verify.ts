import { readFile } from 'node:fs/promises'
import type { NamedSecret } from '../reader/verify/keys.js'
import type { VerifyProblem, VerifyResult } from '../reader/verify/result.js'
import { type VerifyOptions, verifyTrail } from '../reader/verify/verify.js'
import { optionValue, type Parsed } from './arguments.js'
import { type Command, EXIT, type Exit, type Io } from './command.js'
import { ACCESS_OPTION, HELP_OPTION, pathsOf } from './options.js'
import { printable, printableJson } from './terminal.js'
import { UsageError } from './usage.js'

export const verify: Command = {
  name: 'verify',
  summary: 'verifies the chain of a sealed trail, over all its files in order',
  usage: 'PATH…',
  options: {
    'public-key': { value: 'FILE', help: 'the Ed25519 public key of the checkpoints, in PEM' },
    'secret-file': {
      value: '[KEYID=]FILE',
      multiple: true,
      help: 'what the lines were sealed with; of several, each by its key id, the oldest first',
    },
    expect: {
      value: 'CHECKPOINT',
      help: 'what the trail must reach: a checkpoint as JSON, a file that holds one, or a hash',
    },
    json: { help: 'prints the result as one JSON object' },
    ...ACCESS_OPTION,
    ...HELP_OPTION,
  },
  examples: [
    { what: 'Whether the trail is as it was written', line: 'verify data/audit/audit.log' },
    { what: 'Whether it is, and was signed by us', line: 'verify --public-key audit-key.pem data/audit/audit.log' },
    { what: 'Whether its end was cut off', line: 'verify --expect checkpoint.json data/audit/audit.log' },
  ],
  run,
}

async function run(parsed: Parsed, io: Io): Promise<Exit> {
  const paths = pathsOf(parsed)
  const done = { read: 0, total: 0 }
  const options = await optionsOf(parsed)
  io.progress.start(() => done)
  let result: VerifyResult
  try {
    result = await verifyTrail(paths, { ...options, onProgress: (read, total) => Object.assign(done, { read, total }) })
  } finally {
    io.progress.stop()
  }
  for (const line of parsed.values.has('json') ? [printableJson(result)] : report(result, io)) await io.out.line(line)
  await io.out.flush()
  return result.ok ? EXIT.found : EXIT.nothing
}

async function optionsOf(parsed: Parsed): Promise<VerifyOptions> {
  const key = optionValue(parsed, 'public-key')
  const expected = optionValue(parsed, 'expect')
  return {
    publicKey: key === undefined ? undefined : await readFile(key, 'utf8'),
    secret: await secretOf(parsed.values.get('secret-file')),
    expect: expected === undefined ? undefined : await expectedOf(expected),
  }
}

async function secretOf(given: readonly string[] | undefined): Promise<VerifyOptions['secret']> {
  if (given === undefined) return undefined
  const secrets: NamedSecret[] = []
  for (const text of given) {
    const [, keyId, file = text] = /^([^/=]+)=(.+)$/.exec(text) ?? []
    const secret = await secretIn(file)
    if (keyId !== undefined) secrets.push({ keyId, secret })
    else if (given.length === 1) return secret
    else throw new UsageError(`--secret-file ${text} has no key id; with several, write each as KEYID=FILE`)
  }
  return secrets
}

/** Reads a secret, without the line feed that an editor puts at its end. */
async function secretIn(file: string): Promise<Uint8Array> {
  const secret = await readFile(file)
  return secret.at(-1) === 0x0a ? secret.subarray(0, -1) : secret
}

async function expectedOf(text: string): Promise<string> {
  return /^\s*\{/.test(text) || /^[0-9a-f]{64}$/i.test(text) ? text : (await readFile(text, 'utf8')).trim()
}

function report(result: VerifyResult, { paint }: Io): string[] {
  const { ok, problems, problemCount, holds, last } = result
  return [
    ok ? paint('The trail holds.', 'green') : paint(`The trail does not hold: ${problemCount} found wrong.`, 'red'),
    ...problems.map((problem) => `  ${placeOf(problem)}: ${paint(problem.kind, 'red')}: ${printable(problem.message)}`),
    ...(problemCount > problems.length ? [`  and ${problemCount - problems.length} more`] : []),
    ...(ok
      ? []
      : ['What holds:', ...holds.map(({ file, from, to }) => `  ${printable(file)}, lines ${from} to ${to}`)]),
    ...countsOf(result),
    ...(last === null
      ? []
      : [`The last line that holds: ${printable(last.file)}:${last.line}, hash ${printable(last.hash)}`]),
  ]
}

function placeOf({ file, line, to }: VerifyProblem): string {
  if (line === 0) return printable(file)
  return `${printable(file)}:${line}${to > line ? `-${to}` : ''}`
}

function countsOf(result: VerifyResult): string[] {
  const { files, lines, sealed, unsealed, torn, chains, checkpoints, unsignedLines, beginsAfterRetention, numbers } =
    result
  return [
    `${files.length} files, ${lines} lines: ${sealed} sealed, ${unsealed} not; ${torn} files end within a line; ${chains} chains`,
    ...(checkpoints > 0
      ? [`${checkpoints} checkpoints verified, ${unsignedLines} sealed lines that none of them covers`]
      : []),
    ...(numbers.runs > 0 ? [numbersOf(numbers)] : []),
    ...(beginsAfterRetention ? ['Older files were deleted, as the trail itself says.'] : []),
  ]
}

/** What the numbers of lines without a seal say. */
function numbersOf({ runs, missing, unaccounted }: VerifyResult['numbers']): string {
  const lines = `Lines without a seal, of ${runs} runs of a server:`
  if (missing === 0) return `${lines} no number is missing between the first and the last of each.`
  return `${lines} ${missing} numbers are missing, and nothing accounts for ${unaccounted} of them.`
}
