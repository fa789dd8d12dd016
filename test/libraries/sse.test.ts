import { Readable } from 'node:stream'
import { fastifySSE } from '@fastify/sse'
import type { FastifyInstance } from 'fastify'
import { turns } from '../support/staged-sink.js'
import type { TalkRequest } from './support/client.js'
import { itIsTheSame, type Note, served } from './support/compare.js'
import { declareRoutes, REQUESTS } from './support/routes.js'

async function declareEvents(app: FastifyInstance, note: Note): Promise<void> {
  await app.register(fastifySSE)
  declareRoutes(app, note)
  app.get('/events', { sse: true }, async (_request, reply) => {
    await reply.sse.send({ id: '1', event: 'first', data: { a: 1 } })
    await reply.sse.send('two')
  })
  app.get('/iterated', { sse: 'only' }, async (_request, reply) => {
    await reply.sse.send(numbers())
  })
  app.get('/streamed', { sse: 'only' }, async (_request, reply) => {
    await reply.sse.send(Readable.from(['one', 'two']))
  })
  // The handler returns when only the head is sent.
  app.get('/kept', { sse: 'only' }, async (_request, reply) => {
    reply.sse.keepAlive()
    reply.sse.sendHeaders()
    void sendLater(reply.sse)
  })
  // And between two events.
  app.get('/kept-open', { sse: 'only' }, async (_request, reply) => {
    reply.sse.keepAlive()
    await reply.sse.send({ data: 'at once' })
    void sendLater(reply.sse)
  })
  app.get('/endless', { sse: 'only' }, async (_request, reply) => {
    reply.sse.keepAlive()
    reply.sse.onClose(() => note('closed'))
    await reply.sse.send({ data: 'the only one' })
  })
  app.get('/fails', { sse: 'only' }, async () => {
    throw new Error('before the first event')
  })
  app.get('/replays', { sse: 'only' }, async (_request, reply) => {
    await reply.sse.replay(async (id) => reply.sse.send(`after ${id}`))
    await reply.sse.send('now')
  })
  app.get('/coded', { sse: 'only' }, async (_request, reply) => {
    reply.header('x-own', 'yes')
    reply.sse.sendHeaders(202)
    await reply.sse.send('accepted')
  })
}

async function sendLater(events: { send(message: { data: string }): Promise<void>; close(): void }): Promise<void> {
  await turns(5)
  await events.send({ data: 'later' })
  await turns(5)
  await events.send({ data: 'last' })
  events.close()
}

async function* numbers(): AsyncGenerator<{ id: string; data: string }> {
  for (const id of ['1', '2', '3']) {
    await turns(2)
    yield { id, data: `number ${id}` }
  }
}

const ACCEPT = { accept: 'text/event-stream' }
const PATHS = ['/events', '/iterated', '/streamed', '/kept', '/kept-open', '/fails', '/coded', '/not-there']

const STEPS: TalkRequest[] = [
  // Its replies say `keep-alive`, whatever the client asked for.
  ...PATHS.map((url) => ({ url, headers: { ...ACCEPT, connection: 'keep-alive' } })),
  { url: '/replays', headers: { ...ACCEPT, connection: 'keep-alive', 'last-event-id': '7' } },
  { url: '/events', headers: { accept: 'application/json' } },
  { url: '/kept', headers: { accept: 'application/json' } },
  { url: '/endless', headers: ACCEPT, leaveAfter: 'the only one' },
]

itIsTheSame('@fastify/sse', served(declareEvents, [...STEPS, ...REQUESTS]))
