import type { FastifyRequest } from 'fastify'
import type { SinkLogger } from '../logger.js'
import { type Marks, marksOf } from '../redact/schema-marks.js'

const UNKNOWN_MARKS_ADVICE =
  "`getSchema` failed for a schema that this route's schema refers to, so nobody knows which fields are marked as secret " +
  'there: the bodies of this route are left out of the audit trail. Mend the `getSchema` of the schema controller.'

/** Knows which fields of bodies the schemas of routes mark as secret. */
export class SecretFields {
  private readonly marks = new WeakMap<object, Marks>()
  /** Routes whose marks cannot be read and that were already logged. */
  private readonly unreadableRoutes = new Set<string>()

  constructor(private readonly log: SinkLogger) {}

  /** Returns the marks of a request's route. Calls the application's `getSchema`, which may throw. */
  of(request: FastifyRequest): Marks {
    const { schema, url = '' } = request.routeOptions
    if (schema === undefined) return null
    const known = this.marks.get(schema)
    if (known !== undefined) return known
    try {
      const marks = marksOf(schema, (id) => request.server.getSchema(id))
      this.marks.set(schema, marks)
      return marks
    } catch (error) {
      // Do not cache: the schema may exist at the next request.
      this.warn(url, error)
      return 'unknown'
    }
  }

  private warn(route: string, err: unknown): void {
    if (this.unreadableRoutes.has(route)) return
    this.unreadableRoutes.add(route)
    this.log.warn({ err, route }, UNKNOWN_MARKS_ADVICE)
  }
}
