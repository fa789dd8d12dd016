import type { Facts } from './facts.js'
import { type PatternSet, patternsOf } from './pattern-set.js'

/** Patterns over the actor and the namespace; an undefined list matches everything. */
export interface Who {
  readonly actors: PatternSet | undefined
  readonly namespaces: PatternSet | undefined
}

/** The lists of an option about the actor and the namespace. */
export interface WhoOptions {
  readonly actors?: readonly string[] | undefined
  readonly namespaces?: readonly string[] | undefined
}

export function compileWho({ actors, namespaces }: WhoOptions): Who {
  return { actors: patternsOf(actors), namespaces: patternsOf(namespaces) }
}

export function matchesWho({ actors, namespaces }: Who, { actor, namespace }: Facts): boolean {
  if (actors !== undefined && (actor === undefined || !actors.matches(actor))) return false
  return namespaces === undefined || (namespace !== undefined && namespaces.matches(namespace))
}
