import { createPrivateKey, KeyObject } from 'node:crypto'
import { types } from 'node:util'
import { z } from 'zod'
import type { SealSettings } from '../delivery/seal/seal.js'
import { sealableProblem } from '../delivery/seal/sealable.js'
import type { CheckpointFunction } from '../event/checkpoint.js'
import { customFormat, Draft } from '../event/draft.js'
import { KEY_ID, keyIdProblem } from '../redact/secret.js'
import type { Problem } from './problems.js'
import { missing } from './problems.js'
import type { FormatFunction } from './types.js'
import { count, duration, expected, live, secret, strict, text } from './values.js'

// The option `seal` of a sink: its schema, with what it resolves to, and its other checks.

const PRIVATE_KEY =
  'write an Ed25519 private key as a KeyObject or in PEM, as `openssl genpkey -algorithm ed25519` makes it'

export const sealSchema = strict('`seal`', {
  secret: secret().optional(),
  keyId: text('a name', 'k1', keyIdProblem).meta({ pattern: KEY_ID.source }).default('1'),
  privateKey: live<KeyObject | string>(privateKeyProblem).transform(toPrivateKey).optional(),
  checkpointEvery: count(1).default(1000),
  checkpointInterval: duration().prefault('1m'),
  onCheckpoint: live<CheckpointFunction>(onCheckpointProblem).optional(),
})

/** `null`: not sealed. */
export const sealOption = z
  .union([z.boolean(), sealSchema], expected('a boolean, nor options of it', 'write true, or { … }'))
  .transform((seal): SealSettings | null =>
    seal === false ? null : { ...NO_KEYS, ...(seal === true ? sealSchema.parse({}) : seal) },
  )
  .prefault(false)

const NO_KEYS = { secret: undefined, privateKey: undefined, onCheckpoint: undefined }

/**
 * Replaces zod's issue of the union, which says only that no member fits, by the issues of the member that is meant.
 */
export function sealIssues(found: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  return found.flatMap((issue) => {
    if (issue.code !== 'invalid_union' || issue.path.at(-1) !== 'seal') return [issue]
    const ofObject = issue.errors.find((errors) =>
      errors.some(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'),
    )
    return ofObject?.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })) ?? [issue]
  })
}

function toPrivateKey(key: KeyObject | string): KeyObject {
  return typeof key === 'string' ? createPrivateKey(key) : key
}

/** Finds what is wrong between a sink's `seal` and its other options, which may be wrong in themselves. */
export function sealProblems(sink: Record<string, unknown>, path: Problem['path']): Problem[] {
  const { seal, format } = sink
  if (seal === undefined || seal === false) return []
  return [...keyProblems(seal, [...path, 'seal']), ...formatProblems(format, [...path, 'format'])]
}

function keyProblems(seal: unknown, path: Problem['path']): Problem[] {
  if (typeof seal !== 'object' || seal === null) return []
  const has = (key: string) => Reflect.get(seal, key) !== undefined
  const problems: Problem[] = []
  if (has('keyId') && !has('secret')) {
    problems.push({ path: [...path, 'keyId'], message: 'names no secret; write `secret` as well, or leave it out' })
  }
  for (const key of ['checkpointEvery', 'checkpointInterval', 'onCheckpoint']) {
    if (!has(key) || has('privateKey')) continue
    problems.push({
      path: [...path, key],
      message: `has no use without a \`privateKey\` that checkpoints are signed with; ${PRIVATE_KEY}`,
    })
  }
  return problems
}

function formatProblems(format: unknown, path: Problem['path']): Problem[] {
  if (typeof format !== 'function' || types.isAsyncFunction(format)) return []
  const problem = trial((event) => Reflect.apply(format, undefined, [event]))
  if (problem === undefined) return []
  return [
    {
      path,
      message: `${problem}, so \`seal\` has nowhere to put its hash; return the text of a JSON object, or leave \`seal\` out`,
    },
  ]
}

/** Tries a format on sample events, before a request depends on it. */
function trial(format: FormatFunction): string | undefined {
  for (const sample of SAMPLES) {
    try {
      const problem = sealableProblem(customFormat(format)(sample, 1).trim())
      if (problem !== undefined) return `returns a line that ${problem}`
    } catch (error) {
      return `fails for an event (${error instanceof Error ? error.message : String(error)})`
    }
  }
  return undefined
}

/** A record of a request, and one of the trail's own life. */
const SAMPLES = [
  '"id":"8b826146-b264-4f15-8526-000000000001","stage":"OperationComplete","type":"audit","timestamp":"2026-03-24T17:09:35.703Z","version":1,"auth":{"accessor_id":"anonymous"},"request":{"id":"req-1","operation":"GET","endpoint":"/","namespace":{"id":"default"},"request_meta":{"remote_address":"127.0.0.1:33874"},"node_meta":{"ip":"127.0.0.1:4646"}},"response":{"status_code":200,"duration_ms":1}',
  '"id":"8b826146-b264-4f15-8526-000000000002","type":"stop","timestamp":"2026-03-24T17:09:35.703Z","version":1,"stop":{"stored":1,"lost":0,"in_doubt":0,"open":0}',
].map(
  (payload) =>
    new Draft(
      `{"created_at":"2026-03-24T17:09:35.704Z","event_type":"audit","instance":"5f0c7a1e-2f4b-4d1c-9a55-0d6c1f7f3b52","seq":`,
      `,"payload":{${payload}}}`,
    ),
)

function privateKeyProblem(value: unknown): string | undefined {
  if (value === undefined) return missing(PRIVATE_KEY)
  if (typeof value !== 'string' && !(value instanceof KeyObject)) return `is not a key; ${PRIVATE_KEY}`
  try {
    const key = typeof value === 'string' ? createPrivateKey(value) : value
    return key.type === 'private' && key.asymmetricKeyType === 'ed25519'
      ? undefined
      : `is a key of another kind; ${PRIVATE_KEY}`
  } catch {
    return `is not a private key; ${PRIVATE_KEY}`
  }
}

function onCheckpointProblem(value: unknown): string | undefined {
  return typeof value === 'function' ? undefined : 'is not a function; write one of the checkpoint'
}
