import type { SinkLogger } from '../../logger.js'
import type { Redactor } from '../../redact/redactor.js'
import { shownText } from '../content/shown-text.js'
import { isThenable } from '../thenable.js'
import type { ActionDefinition, ActionDefinitions } from './define-actions.js'
import type { Issue, StandardSchema } from './standard-schema.js'

/** Facts about the action of a record when it is made. */
export interface RecordedAction {
  readonly action: string
  /** Each as `type:id`. */
  readonly targets: readonly string[]
  readonly annotations: Readonly<Record<string, unknown>>
}

/** The most mistakes that are logged: names of actions may come from clients. */
const MOST_LOGGED = 1000
/** The most characters of a name, or of what a schema says, in a log line. */
const LONGEST_TEXT = 256
/** The most issues of a schema in a log line. */
const MOST_ISSUES = 3

/**
 * The actions that an application has defined. Counts what differs from them in a record, and logs it once for each
 * action and kind of mistake. The record is stored as it is.
 */
export class Vocabulary {
  /** The mistakes since the boot. */
  errors = 0
  private readonly definitions: ReadonlyMap<string, ActionDefinition>
  private readonly logged = new Set<string>()

  constructor(
    definitions: ActionDefinitions,
    private readonly redactor: Redactor,
    private readonly log: SinkLogger,
  ) {
    this.definitions = new Map(Object.entries(definitions))
  }

  /** Checks the action that a route declares, before there are any requests. */
  checkRoute(action: unknown): void {
    if (typeof action === 'string') this.checkName(action)
  }

  /** Checks the action's name alone: of a request that failed before its handler could say more. */
  checkName(action: string): ActionDefinition | undefined {
    const definition = this.definitions.get(action)
    if (definition === undefined) this.note(action, 'is not in the vocabulary (option `actions`)')
    return definition
  }

  /** Checks everything that a record says of its action. */
  check({ action, targets, annotations }: RecordedAction): void {
    const definition = this.checkName(action)
    if (definition === undefined) return
    const types = this.redactor.omits('targets') ? [] : (definition.targets ?? [])
    for (const type of types) {
      const isNamed = targets.some((target) => target.startsWith(`${type}:`))
      if (!isNamed) this.note(action, `was recorded without a target of the type '${type}'`)
    }
    if (definition.annotations !== undefined) this.checkAnnotations(action, definition.annotations, annotations)
  }

  private checkAnnotations(action: string, schema: StandardSchema, annotations: RecordedAction['annotations']): void {
    try {
      const issues = issuesIn(schema, annotations)
      if (issues.length > 0) this.note(action, 'was recorded with wrong annotations', { issues: this.describe(issues) })
    } catch (error) {
      this.note(action, 'was recorded with annotations that its schema could not check', { err: error })
    }
  }

  private note(action: string, mistake: string, details: object = {}): void {
    this.errors++
    const key = `${mistake} ${action}`
    if (this.logged.size === MOST_LOGGED || this.logged.has(key)) return
    this.logged.add(key)
    this.log.warn({ action: this.text(action), ...details }, `fastify-audit-log: an action ${mistake}`)
  }

  private describe(issues: readonly Issue[]): string[] {
    return issues.slice(0, MOST_ISSUES).map(({ path = [], message }) => {
      const keys = path.map((part) => String(typeof part === 'object' ? part.key : part))
      // Some libraries repeat the value in their message.
      const isSecret = keys.some((key) => this.redactor.secrecyOfValue(key, message) > 0)
      return this.text([...keys, isSecret ? '[REDACTED]' : message].join(': '))
    })
  }

  private text(text: string): string {
    return shownText(text, LONGEST_TEXT, this.redactor)
  }
}

/** Returns what a schema finds wrong. Throws if it cannot say so at once. */
function issuesIn(schema: StandardSchema, value: unknown): readonly Issue[] {
  const result = schema['~standard'].validate(value)
  if (!isThenable(result)) return result.issues ?? []
  Promise.resolve(result).then(undefined, () => undefined)
  throw new TypeError('the schema is asynchronous; it must answer at once')
}
