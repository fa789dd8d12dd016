import { isDeepStrictEqual } from 'node:util'
import type { Outcome, Program, Script, Step } from './program.js'

/** Calls that answer the request, on `reply` or, mostly together with others of their kind, on `reply.raw`. */
const OF_REPLY = ['send', 'redirect', 'callNotFound']
const OF_RAW = ['writeHead', 'write', 'end', 'flushHeaders', 'destroy', 'writeContinue', 'writeEarlyHints']
const LAST_OF_RAW = ['end', 'destroy']

type Replier = 'reply' | 'raw' | 'pipe' | null

/** The same program, in which one party alone replies, once, and does nothing to the response afterwards. */
export function withOneReplier(program: Program): Program {
  const { handler, onRequest, preHandler, onSend, onError, errorHandler } = program.scripts
  return {
    ...program,
    scripts: {
      handler: replying(handler),
      onRequest: onRequest && silent(onRequest),
      preHandler: preHandler && silent(preHandler),
      onSend: onSend && silent(onSend),
      onError: onError && silent(onError),
      errorHandler: errorHandler && replying(errorHandler),
    },
  }
}

export function hasOneReplier(program: Program): boolean {
  return isDeepStrictEqual(withOneReplier(program), program)
}

/** More than one stream is sent or piped. */
export function hasManySources(program: Program): boolean {
  return JSON.stringify(program).split('"chunks"').length > 2
}

/** A stream with a chunk that fits into no buffer is sent or piped. */
export function hasLargeSource(program: Program): boolean {
  return /"chunks":\["[^\]]*large/.test(JSON.stringify(program))
}

/** Somebody asks while much is on its way: how much of it is out is up to the connection. */
export function asksWhileMuchIsSent(program: Program): boolean {
  const text = JSON.stringify(program)
  return text.includes('"large"') && text.includes('"ask"')
}

/** A hook that does not reply; what it does, it does before it goes on. */
function silent(script: Script): Script {
  const steps = script.steps.filter((step) => replierOf(step) === null)
  const { how } = script.outcome
  // Waiting for a reply would take for ever; throwing replies, except in a hook that sees a reply already.
  const outcome: Outcome = how === 'throws' || how === 'returns' ? script.outcome : RETURNS
  return { ...script, steps, at: steps.length, outcome }
}

/** A handler whose first party replies, and who returns what does not reply once more. */
function replying(script: Script): Script {
  const first = script.steps.map(replierOf).find((replier) => replier !== null)
  if (first === undefined) return { ...script, at: script.steps.length }
  const steps: Step[] = []
  let isOver = false
  for (const step of script.steps) {
    const replier = replierOf(step)
    if (isOver ? 'ask' in step || 'turns' in step : replier === null || replier === first) steps.push(step)
    if (replier !== null) isOver ||= replier !== 'raw' || ('call' in step && LAST_OF_RAW.includes(step.call))
  }
  const outcome: Outcome = script.isAsync ? { how: 'returns the reply' } : RETURNS
  return {
    ...script,
    isBare: false,
    steps,
    at: script.isAsync ? steps.length : Math.min(script.at, steps.length),
    outcome,
  }
}

const RETURNS: Outcome = { how: 'returns', value: undefined }

function replierOf(step: Step): Replier {
  if ('pipe' in step) return 'pipe'
  if ('implicit' in step) return 'raw'
  if (!('call' in step)) return null
  if (step.on === 'reply') return OF_REPLY.includes(step.call) ? 'reply' : null
  return OF_RAW.includes(step.call) ? 'raw' : null
}
