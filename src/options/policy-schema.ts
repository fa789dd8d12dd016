import { z } from 'zod'
import { LEVEL_NAMES, toLevel } from '../event/level.js'
import { endpointPatternProblem } from '../policy/glob.js'
import { STATUS_PATTERN } from '../policy/statuses.js'
import { levelProblem, patternProblem, routePatternProblem, statusProblem } from './content-problems.js'
import { choiceProblem, operationProblem } from './problems.js'
import { choice, list, strict, text } from './values.js'

// The options that decide what is recorded: filters, rules and a sink's `only`. `empty` says what an empty list means.

const endpointList = (empty: string) => list(text('a path', '/health', endpointPatternProblem), empty)
const operationList = (empty: string) => list(text('a method', 'GET', operationProblem), empty)
const namespaceList = (empty: string) => list(text('a namespace', 'default', patternProblem), empty)
const actorList = (empty: string) => list(text("an actor's `accessorId`", 'service:*', patternProblem), empty)
const actionList = (empty: string) => list(text('an action', 'invoice.refund', patternProblem), empty)
const targetList = (empty: string) => list(text('a target', 'invoice:*', patternProblem), empty)
const outcomeList = (empty: string) => list(choice(['success', 'failure', 'denied']), empty)
const stageList = (empty: string) => list(choice(['OperationReceived', 'OperationComplete', '*']), empty)

const statusList = (empty: string) =>
  list(text('a status', '2xx', statusProblem).meta({ pattern: STATUS_PATTERN.source }), empty)

const EXCLUDES_NOTHING = 'which no event matches, so the filter would exclude nothing; write'

const NO_STATUS = 'which no status matches, so the filter would exclude nothing; leave it out for every status'

/** Says what an empty optional list of a filter would mean. */
const noSuch = (what: string) =>
  `which no event matches, so the filter would exclude nothing; leave it out for every ${what}`

const commonFilterShape = {
  name: text('a name', 'reads').optional(),
  actors: actorList(noSuch('actor')).optional(),
  namespaces: namespaceList(noSuch('namespace')).optional(),
}

const OF_ACTIONS = "it is for actions beside requests: write `type: 'ActionEvent'`, or leave it out"

const OF_REQUESTS =
  "an action beside requests has none: leave it out, or leave out `type: 'ActionEvent'` to filter requests"

export const httpFilterSchema = strict(
  'a filter',
  {
    ...commonFilterShape,
    type: z.literal('HTTPEvent').optional(),
    endpoints: endpointList(`${EXCLUDES_NOTHING} ['*'] for every URL`),
    stages: stageList(`${EXCLUDES_NOTHING} ['*'] for both stages`),
    operations: operationList(`${EXCLUDES_NOTHING} ['*'] for every method`),
    statuses: statusList(NO_STATUS).optional(),
  },
  { actions: OF_ACTIONS, targets: OF_ACTIONS, outcomes: OF_ACTIONS },
)

export const actionFilterSchema = strict(
  'a filter',
  {
    ...commonFilterShape,
    type: z.literal('ActionEvent'),
    actions: actionList(`${EXCLUDES_NOTHING} ['*'] for every action`),
    targets: targetList(noSuch('target')).optional(),
    outcomes: outcomeList(noSuch('outcome')).optional(),
    stages: stageList(noSuch('stage')).optional(),
  },
  { endpoints: OF_REQUESTS, operations: OF_REQUESTS, statuses: OF_REQUESTS },
)

export const filterSchema = z.discriminatedUnion('type', [httpFilterSchema, actionFilterSchema], {
  error: ({ code, input }) =>
    code === 'invalid_union'
      ? choiceProblem(typeOf(input), ['HTTPEvent', 'ActionEvent'])
      : 'is not an object; write a filter as { … }',
})

export const filters = list(filterSchema).default([])

const SELECTS_NOTHING = 'which nothing matches, so the selector would select nothing; leave it out for every'

export const selectorSchema = strict('a selector', {
  endpoints: endpointList(`${SELECTS_NOTHING} URL`).optional(),
  operations: operationList(`${SELECTS_NOTHING} method`).optional(),
  statuses: statusList(`${SELECTS_NOTHING} status`).optional(),
  namespaces: namespaceList(`${SELECTS_NOTHING} namespace`).optional(),
  actors: actorList(`${SELECTS_NOTHING} actor`).optional(),
  actions: actionList(`${SELECTS_NOTHING} action, and for none`).optional(),
  targets: targetList(`${SELECTS_NOTHING} target, and for none`).optional(),
  outcomes: outcomeList(`${SELECTS_NOTHING} outcome, and for none`).optional(),
})

/** What a sink records, and nothing else. */
export const only = list(
  selectorSchema,
  'which selects nothing, so the sink would record nothing; leave it out to record everything',
).optional()

const MATCHES_NOTHING = 'which no request matches, so the rule would never apply; leave it out for every'

export const level = () =>
  z.union([z.enum(LEVEL_NAMES), z.literal([0, 1, 2, 3])], { error: ({ input }) => levelProblem(input) })

export const ruleSchema = strict('a rule', {
  name: text('a name', 'secrets').optional(),
  routes: list(text("a route's pattern", '/v1/secrets/*', routePatternProblem), `${MATCHES_NOTHING} route`).optional(),
  endpoints: endpointList(`${MATCHES_NOTHING} URL`).optional(),
  operations: operationList(`${MATCHES_NOTHING} method`).optional(),
  namespaces: namespaceList(`${MATCHES_NOTHING} namespace`).optional(),
  actors: actorList(`${MATCHES_NOTHING} actor`).optional(),
  // By name: the start entry lists the rules, and a search engine takes a field for numbers or for texts.
  level: level().transform((option) => LEVEL_NAMES[toLevel(option)]),
})

function typeOf(filter: unknown): unknown {
  return typeof filter === 'object' && filter !== null ? Reflect.get(filter, 'type') : undefined
}
