/** The differences of the Fastify that the suite runs on from its first 5.0: `npm run test:fastifies`. */
import { Readable } from 'node:stream'
import Fastify, { errorCodes, type FastifyServerOptions } from 'fastify'

const { initialConfig, version } = Fastify({ routerOptions: {} })

export { version }

/** The abilities of this Fastify, as it reports them. A test of a missing one has nothing to test. */
export const KNOWS = {
  /** The router's options under one key; they stood beside the others before. */
  routerOptions: 'routerOptions' in initialConfig,
  handlerTimeout: 'handlerTimeout' in initialConfig,
  /** 414 for an overlong parameter; it was a 404 before. */
  overlongParameters: 'FST_ERR_MAX_PARAM_LENGTH' in errorCodes,
  /** A stream's trailers are sent, and any at all over HTTP/2. */
  streamTrailers: (await trailerAfterStream()) === 'sent',
}

/** Its message about bodies that it does not parse. */
export const MESSAGES = {
  malformedJson: await messageFor('application/json', '{'),
  unknownType: await messageFor('application/x-nobody', 'x'),
}

/** The router's options where this Fastify takes them; a copy, because some write their defaults into it. */
export function routed(options: NonNullable<FastifyServerOptions['routerOptions']>): FastifyServerOptions {
  return KNOWS.routerOptions ? { routerOptions: { ...options } } : { ...options }
}

async function trailerAfterStream(): Promise<string | undefined> {
  const app = Fastify()
  app.get('/', (_, reply) => reply.trailer('x-trailer', async () => 'sent').send(Readable.from(['a'])))
  const { trailers } = await app.inject('/')
  return trailers['x-trailer']
}

async function messageFor(type: string, payload: string): Promise<string> {
  const app = Fastify()
  app.post('/', async () => '')
  const reply = await app.inject({ method: 'POST', url: '/', headers: { 'content-type': type }, payload })
  return reply.json<{ message: string }>().message
}
