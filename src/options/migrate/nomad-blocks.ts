import { z } from 'zod'
import type { Stage } from '../../event/event.js'
import type { FilterOptions } from '../../policy/filter-options.js'
import { compileGlob, endpointPatternProblem } from '../../policy/glob.js'
import { choiceProblem, filePathProblem, operationProblem } from '../problems.js'
import type { FileSinkOptions } from '../types.js'
import { choice, count, durationText, list, strict, text } from '../values.js'

const STAGES: readonly Stage[] = ['OperationReceived', 'OperationComplete']

/** As in Nomad an empty list, or none, matches nothing; there that goes unsaid. */
const EXCLUDES_NOTHING = 'which no event matches, so the filter would exclude nothing; write ["*"], or leave it out'

export const nomadSink = strict('a sink', {
  type: z
    .literal('file', { error: 'is not "file", Nomad\'s only type of sink; write that, or leave it out' })
    .optional(),
  delivery_guarantee: choice(['enforced', 'best-effort']).default('enforced'),
  format: z.literal('json', { error: 'is not "json", Nomad\'s only format; write that, or leave it out' }).optional(),
  path: text('a path', '/var/lib/nomad/audit/audit.log', filePathProblem).optional(),
  mode: text('a string of octal digits', '0600', modeProblem).default('0600'),
  rotate_bytes: count(0).default(0),
  rotate_duration: durationText().default('24h'),
  rotate_max_files: count(0).default(0),
})

export const nomadFilter = strict('a filter', {
  type: z
    .literal('HTTPEvent', { error: 'is not "HTTPEvent", Nomad\'s only type of event; write that, or leave it out' })
    .optional(),
  endpoints: list(text('a path', '/v1/metrics', withoutBraces(endpointPatternProblem)), EXCLUDES_NOTHING),
  stages: list(text('a stage', '*', stageProblem), EXCLUDES_NOTHING),
  operations: list(text('a method', 'GET', withoutBraces(operationProblem)), EXCLUDES_NOTHING),
})

/** The file sink that a block stands for. */
export function toSink(name: string, sink: z.output<typeof nomadSink>, defaultPath: string): FileSinkOptions {
  return {
    name: sinkNameOf(name),
    type: 'file',
    deliveryGuarantee: sink.delivery_guarantee,
    format: 'json',
    path: sink.path ?? defaultPath,
    mode: Number.parseInt(sink.mode, 8),
    rotateBytes: sink.rotate_bytes,
    rotateDuration: sink.rotate_duration,
    rotateMaxFiles: sink.rotate_max_files,
  }
}

/** The filter that a block stands for. */
export function toFilter(name: string, { endpoints, stages, operations }: z.output<typeof nomadFilter>): FilterOptions {
  const meant = STAGES.filter((stage) => stages.some((glob) => compileGlob(glob)(stage)))
  return { name, endpoints, stages: meant.length === STAGES.length ? ['*'] : meant, operations }
}

/** Nomad lets a sink be called anything; here the name is a key of `stats()` and of log lines. */
export function sinkNameOf(name: string): string {
  return name.replace(/[^\w.-]/g, '-').slice(0, 64)
}

function modeProblem(mode: string): string | undefined {
  if (!/^0?[0-7]{3}$/.test(mode)) return 'is no file mode; write three or four octal digits, such as "0600"'
  if ((Number.parseInt(mode, 8) & 0o600) === 0o600) return undefined
  return 'is a mode that keeps its owner from reading or writing the file; write one such as "0600"'
}

function stageProblem(stage: string): string | undefined {
  return STAGES.some(compileGlob(stage)) ? undefined : choiceProblem(stage, [...STAGES, '*'])
}

/** To Nomad braces are characters like others, and here they are alternatives: more would be excluded than there. */
function withoutBraces(problem: (pattern: string) => string | undefined) {
  return (pattern: string) =>
    /[{}]/.test(pattern)
      ? 'has braces, which Nomad takes literally; write one pattern for each alternative'
      : problem(pattern)
}
