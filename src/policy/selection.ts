import { METHODS } from 'node:http'
import type { Outcome } from '../event/action.js'
import type { ActionFacts, Facts } from './facts.js'
import { expandBraces } from './glob.js'
import { type RouterFolding, type Spellings, spellings } from './path.js'
import { inCase, matchesOperation, type PatternSet, patternsOf } from './pattern-set.js'
import { EXCLUDES_BOTH, EXCLUDES_RECEIVED } from './stages.js'
import { statusTable } from './statuses.js'
import { compileWhat, matchesAction, matchesOutcome, type What } from './what.js'
import { compileWho, matchesWho, type Who } from './who.js'

/**
 * Requests and actions that a sink with `only` records: those of which every list has a match.
 *
 * @example
 * ```ts
 * import type { SelectorOptions } from 'fastify-audit-log'
 *
 * const tenant: SelectorOptions = { namespaces: ['acme'] }
 * const refunds: SelectorOptions = { actions: ['invoice.refund'], targets: ['invoice:*'] }
 * const denied: SelectorOptions = { statuses: ['401', '403'] }
 * ```
 */
export interface SelectorOptions {
  /** Globs over the URL's path. They meet requests alone, in any spelling of the URL. */
  endpoints?: readonly string[] | undefined
  /** HTTP methods in upper case, or globs over them. They meet requests alone. */
  operations?: readonly string[] | undefined
  /** Statuses, or classes of them: the `OperationComplete` of requests alone. */
  statuses?: readonly string[] | undefined
  /** Globs over the namespace. */
  namespaces?: readonly string[] | undefined
  /** Globs over the actor's `accessorId`; of a request, over the actor at its receipt. */
  actors?: readonly string[] | undefined
  /** Globs over the action; of a request, over what is known of it when the record is made. */
  actions?: readonly string[] | undefined
  /** Globs over `type:id`, of which one must match one of the targets. */
  targets?: readonly string[] | undefined
  /** Outcomes: no `OperationReceived`, which has none. */
  outcomes?: readonly Outcome[] | undefined
}

/** One selector of `only`; an undefined list matches everything. */
interface Selector extends Who, What {
  readonly operations: readonly string[] | undefined
  readonly endpoints: PatternSet | undefined
  readonly statuses: Uint8Array | undefined
  /** True if it looks at facts that only requests have. */
  readonly isOfRequests: boolean
  /** True if it looks at facts that a request may lack when it is received. */
  readonly isLate: boolean
}

/** A sink's `only`, compiled: what it selects is recorded, unless filters exclude it. */
export class Selection {
  readonly needsActor: boolean
  readonly needsNamespace: boolean
  /** True if a selector looks at the action, its targets or its outcome. */
  readonly needsAction: boolean
  /** True if what is known of a request only at its end decides about its Complete. */
  readonly isLate: boolean
  private readonly selectors: readonly Selector[]
  private readonly byOperation: ReadonlyMap<string, readonly Selector[]>

  /** @throws {PatternError} when the braces of a pattern are not sound. */
  constructor(
    options: readonly SelectorOptions[],
    private readonly folding: RouterFolding,
  ) {
    const selectors = options.map((selector) => compileSelector(selector, folding))
    this.selectors = selectors
    this.byOperation = new Map(METHODS.map((method) => [method, selectors.filter(isFor(method))]))
    this.needsActor = selectors.some(({ actors }) => actors !== undefined)
    this.needsNamespace = selectors.some(({ namespaces }) => namespaces !== undefined)
    this.needsAction = selectors.some(isOfActions)
    this.isLate = selectors.some(({ isLate }) => isLate)
  }

  /** Returns the stages of a request that are not selected, whatever comes later: the bits of `Filters.excluded`. */
  excluded(operation: string, url: string, facts: Facts): number {
    let excluded = EXCLUDES_BOTH
    let path: Spellings | undefined
    for (const selector of this.selectorsOf(operation)) {
      if (!matchesWho(selector, facts)) continue
      path ??= this.pathFor(selector, url)
      if (!matchesPath(selector, path)) continue
      excluded = EXCLUDES_RECEIVED
      if (selector.statuses === undefined && selector.outcomes === undefined && matchesWhat(selector, facts)) return 0
    }
    return excluded
  }

  /** Tells whether the Complete of a request is selected, when all is known of it. */
  selectsComplete(operation: string, url: string, statusCode: number | undefined, facts: Facts): boolean {
    let path: Spellings | undefined
    for (const selector of this.selectorsOf(operation)) {
      if (!matchesWho(selector, facts) || !matchesWhat(selector, facts)) continue
      if (!matchesStatus(selector, statusCode)) continue
      path ??= this.pathFor(selector, url)
      if (matchesPath(selector, path)) return true
    }
    return false
  }

  /** Returns the stages of an action beside requests that are not selected: the same bits. */
  excludedOfAction(facts: ActionFacts): number {
    let excluded = EXCLUDES_BOTH
    for (const selector of this.selectors) {
      if (selector.isOfRequests || !matchesWho(selector, facts) || !matchesWhat(selector, facts)) continue
      if (selector.outcomes === undefined) return 0
      excluded = EXCLUDES_RECEIVED
    }
    return excluded
  }

  /** A method that a client invented is compared with the patterns, so that none escapes; nothing is kept of it. */
  private selectorsOf(operation: string): readonly Selector[] {
    return this.byOperation.get(operation) ?? this.selectors.filter(isFor(operation))
  }

  private pathFor({ endpoints }: Selector, url: string): Spellings | undefined {
    return endpoints === undefined ? undefined : spellings(url, this.folding)
  }
}

function compileSelector(options: SelectorOptions, folding: RouterFolding): Selector {
  const { endpoints, operations, statuses } = options
  const what = compileWhat(options)
  return {
    ...compileWho(options),
    ...what,
    operations: operations?.flatMap(expandBraces),
    endpoints: patternsOf(endpoints && inCase(endpoints, folding)),
    statuses: statuses === undefined ? undefined : statusTable(statuses),
    isOfRequests: endpoints !== undefined || operations !== undefined || statuses !== undefined,
    isLate: statuses !== undefined || isOfActions(what),
  }
}

function isOfActions({ actions, targets, outcomes }: What): boolean {
  return actions !== undefined || targets !== undefined || outcomes !== undefined
}

function isFor(method: string): (selector: Selector) => boolean {
  return ({ operations }) => operations === undefined || matchesOperation(operations, method)
}

/** No spelling takes a request out of the sink: the path may match as the client spelled it OR as the router reads it. */
function matchesPath({ endpoints }: Selector, path: Spellings | undefined): boolean {
  return endpoints === undefined || (path !== undefined && endpoints.matchesEither(path.raw, path.canonical))
}

function matchesStatus({ statuses }: Selector, statusCode: number | undefined): boolean {
  return statuses === undefined || (statusCode !== undefined && statuses[statusCode] === 1)
}

function matchesWhat(selector: Selector, facts: Facts): boolean {
  return matchesAction(selector, facts) && matchesOutcome(selector, facts) && matchesSomeTarget(selector, facts)
}

function matchesSomeTarget({ targets: patterns }: What, { targets }: Facts): boolean {
  return patterns === undefined || targets.some((target) => patterns.matches(target))
}
