/** The logger a sink may use: Fastify's, or anything of its shape. */
export interface SinkLogger {
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}
