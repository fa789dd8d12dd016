import { type Behaviour, NEVER, SOON } from '../support/staged-sink.js'
import type { Case } from './case.js'

export type Guarantee = 'enforced' | 'best-effort'

/** What a sink does, stage by stage. */
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

/** Those that show every outcome but what a late answer adds. */
export const MAIN_STATES = SINK_STATES.slice(0, 4)

export const GUARANTEES: readonly Guarantee[] = ['enforced', 'best-effort']

/** What must come of a case: design, sections 3 and 4. */
export interface Outcome {
  /** The reply that the server gives without the plugin, or what the plugin sends in its place. */
  reply: 'own' | 'refused' | 'withheld'
  runs: boolean
  /** What the trail holds once the sink has answered for everything. */
  trail: string[]
}

const REFUSED = 'Complete 503 (FST_AUDIT_NOT_RECORDED)'
const WITHHELD = 'correction 500 (FST_AUDIT_RESPONSE_WITHHELD)'

/** The sink's timeout: long, but where it is what a client waits for, which then gets a replacement. */
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
    // What hung is stored in the end, and the Complete of a refusal waits for no one.
    const received = state.received === 'hangs' ? ['Received'] : []
    return { reply: 'refused', runs: false, trail: [...received, ...(state.complete === 'fails' ? [] : [REFUSED])] }
  }
  if (state.complete === 'fails') return { reply: 'withheld', runs, trail: ['Received', WITHHELD] }
  if (state.complete === 'hangs') return { reply: 'withheld', runs, trail: ['Received', complete, WITHHELD] }
  return { reply: 'own', runs, trail: ['Received', complete] }
}
