/**
 * An app for fastify-cli, whose plugins and routes @fastify/autoload finds:
 *
 *     node --import tsx node_modules/fastify-cli/cli.js start --options examples/fastify-cli/app.ts
 *
 * Both of them register what they load as a part of the server. `fp` from fastify-plugin makes it the server itself, for
 * this file and for `plugins/audit.ts`: without it, 404s and other requests outside would not be in the trail.
 */
import { join } from 'node:path'
import autoload from '@fastify/autoload'
import type { FastifyInstance } from 'fastify'
import { auditFrameworkErrors } from 'fastify-audit-log'
import fp from 'fastify-plugin'

/** The options with which `fastify start --options` makes the server. */
export const options = { frameworkErrors: auditFrameworkErrors() }

async function app(server: FastifyInstance, _options: object): Promise<void> {
  // Before the routes: hooks and routes that come earlier are not prepared for the audit.
  await server.register(autoload, { dir: join(import.meta.dirname, 'plugins') })
  await server.register(autoload, { dir: join(import.meta.dirname, 'routes') })
}

export default fp(app)
