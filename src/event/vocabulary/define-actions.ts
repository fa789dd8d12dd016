import type { Target } from '../action.js'
import type { InputOf, StandardSchema } from './standard-schema.js'

/** Targets and annotations that the records of one action must hold. */
export interface ActionDefinition {
  /** Types of things to which it is done, such as `['invoice']`: its records name at least one thing of each. */
  targets?: readonly string[] | undefined
  /**
   * Its annotations: a schema of zod, Valibot, ArkType or any other library with the interface of Standard Schema. It must
   * not be asynchronous.
   */
  annotations?: StandardSchema | undefined
}

/** The actions of an application, by name. */
export type ActionDefinitions = Readonly<Record<string, ActionDefinition>>

/**
 * Defines the actions of an application, for the option `actions`, and for the compiler if `AuditVocabulary` names them.
 * Returns what it is given.
 *
 * @example
 * ```ts
 * import Fastify from 'fastify'
 * import audit, { defineActions } from 'fastify-audit-log'
 * import { z } from 'zod'
 *
 * const actions = defineActions({
 *   'invoice.refund': { targets: ['invoice'], annotations: z.object({ amount: z.number() }) },
 *   'session.begin': {},
 * })
 *
 * const app = Fastify()
 * await app.register(audit, { actions })
 * ```
 */
export function defineActions<const Definitions extends ActionDefinitions>(definitions: Definitions): Definitions {
  return definitions
}

declare const none: unique symbol

/**
 * Names the actions of an application to the compiler, once in a program:
 * `declare module 'fastify-audit-log' { interface AuditVocabulary { actions: typeof actions } }`.
 * Without it, an action may be any text.
 */
export interface AuditVocabulary {
  readonly [none]?: never
}

type Vocabulary = AuditVocabulary extends { actions: infer Definitions extends ActionDefinitions }
  ? Definitions
  : ActionDefinitions

/** The name of an action: one of the vocabulary, or any text if there is none. */
export type ActionName = keyof Vocabulary & string

/** A thing of a type that the vocabulary names. */
export type TargetOf<Type extends string> = Target & { type: Type }

type TypesOf<Name extends ActionName> = Vocabulary[Name] extends { targets: infer Types extends readonly string[] }
  ? Types
  : readonly []

/** Targets: first one of each type, in that order, then any others. */
type Naming<Types extends readonly string[]> = Types extends readonly []
  ? Target | readonly Target[]
  : Types extends readonly [infer Only extends string]
    ? TargetOf<Only> | readonly [TargetOf<Only>, ...Target[]]
    : readonly [...{ [Index in keyof Types]: TargetOf<Types[Index]> }, ...Target[]]

/** The targets of an action: first one of each type that the vocabulary names, in its order, then any others. */
export type TargetsOf<Name extends ActionName> = Naming<TypesOf<Name>>

/** The annotations of an action, as its schema takes them. */
export type AnnotationsOf<Name extends ActionName> = Vocabulary[Name] extends {
  annotations: infer Schema extends StandardSchema
}
  ? InputOf<Schema>
  : Readonly<Record<string, unknown>>

/** The targets of an event, which must be there if the vocabulary names some. */
type Targets<Name extends ActionName> =
  TypesOf<Name> extends readonly []
    ? {
        /** The things to which it is done: at most 16. */
        targets?: TargetsOf<Name> | undefined
      }
    : {
        /** The things to which it is done: at most 16. */
        targets: TargetsOf<Name>
      }

/** The annotations of an event, which must be there if the vocabulary requires some. */
type Annotations<Name extends ActionName> =
  Record<never, never> extends AnnotationsOf<Name>
    ? {
        /** Added to the record, as by `request.audit.annotate`. */
        annotations?: AnnotationsOf<Name> | undefined
      }
    : {
        /** Added to the record, as by `request.audit.annotate`. */
        annotations: AnnotationsOf<Name>
      }

interface Named<Name extends ActionName> {
  /** What is done, such as `'invoice.refund'`. */
  action: Name
}

/** The members of an event that depend on its action. */
export type EventOfVocabulary = {
  [Name in ActionName]: Named<Name> & Targets<Name> & Annotations<Name>
}[ActionName]

/** The members of work that depend on its action. Its function may give more targets and annotations. */
export type WorkOfVocabulary = {
  [Name in ActionName]: Named<Name> & {
    /** The things to which it is done: at most 16. */
    targets?: TargetsOf<Name> | undefined
    /** Added to the second record, as by `request.audit.annotate`. */
    annotations?: Partial<AnnotationsOf<Name>> | undefined
  }
}[ActionName]
