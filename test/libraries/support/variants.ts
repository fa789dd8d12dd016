import type { DeliveryGuarantee, LevelName } from '../../../src/index.js'
import type { Behaviour } from '../../support/staged-sink.js'

/** One way of auditing a server. */
export interface Variant {
  name: string
  deliveryGuarantee: DeliveryGuarantee
  level: LevelName
  sink: Behaviour
}

const LEVELS: LevelName[] = ['metadata', 'response']

const SINKS: Array<Omit<Variant, 'level'>> = [
  { name: 'enforced', deliveryGuarantee: 'enforced', sink: 'stores' },
  { name: 'enforced, a slow sink', deliveryGuarantee: 'enforced', sink: 'is slow' },
  { name: 'best-effort', deliveryGuarantee: 'best-effort', sink: 'stores' },
]

/** Every way that is compared with no audit at all. */
export const VARIANTS: Variant[] = SINKS.flatMap((sink) =>
  LEVELS.map((level) => ({ ...sink, level, name: `${sink.name}, level ${level}` })),
)
