import { METHODS } from 'node:http'
import { type Level, type LevelOption, NONE, toLevel } from '../event/level.js'
import { type Facts, NO_FACTS } from './facts.js'
import { expandBraces } from './glob.js'
import { type RouterFolding, spellings } from './path.js'
import { inCase, isAnything, matchesOperation, PatternSet, patternsOf } from './pattern-set.js'
import { endpointWarnings, operationWarnings, titled } from './pattern-warnings.js'
import { compileWho, matchesWho, type Who } from './who.js'

/**
 * The level of the requests that match: those of which every list has a match. The first rule that matches decides.
 *
 * @example
 * ```ts
 * import type { RuleOptions } from 'fastify-audit-log'
 *
 * const secrets: RuleOptions = { routes: ['/v1/secrets/*'], level: 'metadata' }
 * const writes: RuleOptions = { operations: ['{POST,PUT,PATCH,DELETE}'], namespaces: ['prod-*'], level: 'request' }
 * ```
 */
export interface RuleOptions {
  /** The rule's name in warnings and explanations. */
  name?: string | undefined
  /** Globs over the route's pattern, such as `'/v1/secrets/:id'`; a request without a route (404) matches none. */
  routes?: readonly string[] | undefined
  /** Globs over the URL's path, such as `'/v1/secrets/*'`. */
  endpoints?: readonly string[] | undefined
  /** HTTP methods in upper case, or globs over them, such as `'{GET,HEAD}'`. */
  operations?: readonly string[] | undefined
  /** Globs over what the `namespace` option gives. */
  namespaces?: readonly string[] | undefined
  /** Globs over the actor's `accessorId` at the request's receipt: `anonymous` if authentication comes later. */
  actors?: readonly string[] | undefined
  level: LevelOption
}

/** The rule that decided a request's level, by its index; -1 for none. */
export interface Decision {
  readonly level: Level
  readonly rule: number
}

/** All rules as one. */
export interface Rules {
  /** True if a rule looks at the namespace, or at the actor, which need not be known otherwise. */
  readonly needsNamespace: boolean
  readonly needsActor: boolean
  /** The level of a request. */
  decide(operation: string, url: string, route: string | undefined, facts?: Facts): Level
  /** The same, with the rule that decided. */
  explain(operation: string, url: string, route: string | undefined, facts?: Facts): Decision
}

/** A rule as it is met by the requests of one operation; what is absent matches whatever there is. */
interface CompiledRule extends Who {
  readonly index: number
  readonly level: Level
  readonly operations: readonly string[] | undefined
  readonly routes: PatternSet | undefined
  readonly endpoints: PatternSet | undefined
}

interface OperationRules {
  readonly rules: readonly CompiledRule[]
  readonly needsPath: boolean
}

/**
 * Compiles rules over a default level, for a server whose router folds URLs so.
 *
 * @throws {PatternError} when the braces of a pattern are not sound.
 */
export function compileRules(rules: readonly RuleOptions[], level: Level, folding: RouterFolding): Rules {
  const byDefault: Decision = { level, rule: -1 }
  if (rules.length === 0) {
    return { needsNamespace: false, needsActor: false, decide: () => level, explain: () => byDefault }
  }
  const compiled = rules.map((rule, index) => compileRule(rule, index, folding))
  const decisions = compiled.map((rule): Decision => ({ level: rule.level, rule: rule.index }))
  const byOperation = new Map(METHODS.map((method) => [method, operationRules(compiled, method)]))
  // HTTP/2 lets a client invent methods: those share what holds for every operation, and nothing is kept of them.
  const invented = operationRules(compiled)

  const explain: Rules['explain'] = (operation, url, route, facts = NO_FACTS) => {
    const { rules, needsPath } = byOperation.get(operation) ?? invented
    if (!needsPath) return decisions[firstMatch(rules, '', route, facts)] ?? byDefault
    const { raw, canonical } = spellings(url, folding)
    const read = decisions[firstMatch(rules, canonical, route, facts)] ?? byDefault
    if (raw === canonical) return read
    return ofBoth(read, decisions[firstMatch(rules, raw, route, facts)] ?? byDefault)
  }
  return {
    needsNamespace: compiled.some(({ namespaces }) => namespaces !== undefined),
    needsActor: compiled.some(({ actors }) => actors !== undefined),
    decide: (operation, url, route, facts) => explain(operation, url, route, facts).level,
    explain,
  }
}

/**
 * Decides for a path with two spellings, as the router reads it and as it was sent: no spelling takes a request out of
 * the trail, and no spelling has more of it captured.
 */
function ofBoth(read: Decision, sent: Decision): Decision {
  if (sent.level === NONE) return read
  return read.level === NONE || sent.level < read.level ? sent : read
}

/** The index of the first rule that matches, or -1. */
function firstMatch(rules: readonly CompiledRule[], path: string, route: string | undefined, facts: Facts): number {
  for (const rule of rules) {
    const { index, routes, endpoints } = rule
    if (routes !== undefined && (route === undefined || !routes.matches(route))) continue
    if (!matchesWho(rule, facts)) continue
    if (endpoints === undefined || endpoints.matches(path)) return index
  }
  return -1
}

function compileRule(rule: RuleOptions, index: number, folding: RouterFolding): CompiledRule {
  const { routes, endpoints, operations } = rule
  return {
    ...compileWho(rule),
    index,
    level: toLevel(rule.level),
    operations: operations?.flatMap(expandBraces),
    // Even "*" needs a route: a 404 has none.
    routes: routes === undefined ? undefined : new PatternSet(routes.flatMap(expandBraces)),
    endpoints: patternsOf(endpoints && inCase(endpoints, folding)),
  }
}

/** The rules that can match a method, or, without one, every method there may be. */
function operationRules(compiled: readonly CompiledRule[], method?: string): OperationRules {
  const rules = compiled.filter(({ operations }) => operations === undefined || matchesOperation(operations, method))
  return { rules, needsPath: rules.some(({ endpoints }) => endpoints !== undefined) }
}

/** Returns warnings at boot: patterns that match nothing, and rules after one that matches everything. */
export function ruleWarnings(rules: readonly RuleOptions[], folding: RouterFolding): string[] {
  const catchAll = rules.findIndex(matchesEverything)
  return rules.flatMap((rule, index) => {
    const { operations = [], endpoints = [], routes = [] } = rule
    return [
      ...operations.flatMap(operationWarnings),
      ...endpoints.flatMap((pattern) =>
        endpointWarnings(pattern, folding, 'never matches a path both as it is sent and as it is read'),
      ),
      ...routes.flatMap(routeWarnings),
      ...(catchAll === -1 || index <= catchAll ? [] : [after(titled('Rule', rules[catchAll]?.name, catchAll))]),
    ].map((warning) => `${titled('Rule', rule.name, index)}: ${warning}`)
  })
}

function routeWarnings(pattern: string): string[] {
  const unmatched = expandBraces(pattern).filter((glob) => !/^[/*]/.test(glob))
  return unmatched.map(
    (glob) => `route ${JSON.stringify(glob)} matches no route: its pattern begins with "/"; write it, or "*" before it`,
  )
}

function after(other: string): string {
  return `decides nothing: it stands after ${other}, which matches every request; put it before that one`
}

function matchesEverything({ routes, endpoints, operations, namespaces, actors }: RuleOptions): boolean {
  const lists = [endpoints, operations, namespaces, actors]
  return routes === undefined && lists.every((list) => list?.flatMap(expandBraces).some(isAnything) ?? true)
}
