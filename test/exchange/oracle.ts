import { type Behaviour, NEVER, SOON } from '../support/staged-sink.js'
import type { Case } from './case.js'

export type Guarantee = 'enforced' | 'best-effort'

/** Behaviour of a sink, stage by stage. */
export interface SinkState {
  name: string
  received: Behaviour
  complete: Behaviour
}

export const SINK_STATES: readonly SinkState[] = [
  { name: 'works', received: 'stores', complete: 'stores' },
  { name: 'is slow', received: 'is slow', complete: 'is slow' },
  { name: 'fails at Received', received: 'fails', complete: 'stores' },
  { name: 'fails at Complete', received: 'stores', complete: 'fails' },
  { name: 'fails at both', received: 'fails', complete: 'fails' },
  { name: 'hangs at Received', received: 'hangs', complete: 'stores' },
  { name: 'hangs at Complete', received: 'stores', complete: 'hangs' },
]

/** States that show every outcome except that of a late answer. */
export const MAIN_STATES = SINK_STATES.slice(0, 4)

export const GUARANTEES: readonly Guarantee[] = ['enforced', 'best-effort']

/** Expected outcome of a case. */
export interface Outcome {
  /** Reply of the server without the plugin, or the plugin's replacement. */
  reply: 'own' | 'refused' | 'withheld'
  runs: boolean
  /** Trail after the sink has answered for everything. */
  trail: string[]
}

const REFUSED = 'Complete 503 (FST_AUDIT_NOT_RECORDED)'
const WITHHELD = 'correction 500 (FST_AUDIT_RESPONSE_WITHHELD)'

/** Timeout of the sink: long, unless the client waits for it and then gets a replacement. */
export function timeoutFor({ received, complete }: SinkState, { reply }: Outcome): typeof NEVER | typeof SOON {
  const isHanging = received === 'hangs' || complete === 'hangs'
  return isHanging && reply !== 'own' ? SOON : NEVER
}

export function outcomeOf(test: Case, state: SinkState, guarantee: Guarantee): Outcome {
  const complete = ['Complete', test.status, test.error && `(${test.error})`].filter(Boolean).join(' ')
  const runs = test.runs !== false
  if (guarantee === 'best-effort' || test.isUnheld) {
    const trail = [
      ...(state.received === 'fails' ? [] : ['Received']),
      ...(state.complete === 'fails' ? [] : [complete]),
    ]
    return { reply: 'own', runs, trail }
  }
  if (state.received === 'fails' || state.received === 'hangs') {
    // A hung entry is stored in the end, and nothing waits for the Complete of a refusal.
    const received = state.received === 'hangs' ? ['Received'] : []
    return { reply: 'refused', runs: false, trail: [...received, ...(state.complete === 'fails' ? [] : [REFUSED])] }
  }
  if (state.complete === 'fails') return { reply: 'withheld', runs, trail: ['Received', WITHHELD] }
  if (state.complete === 'hangs') return { reply: 'withheld', runs, trail: ['Received', complete, WITHHELD] }
  return { reply: 'own', runs, trail: ['Received', complete] }
}
