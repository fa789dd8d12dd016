import mercurius from 'mercurius'
import type { TalkRequest } from '../support/client.js'
import { itIsTheSame, served } from '../support/compare.js'
import { BIG, declareRoutes, REQUESTS } from '../support/routes.js'
import { closeFrame, HANDSHAKE, textFrame } from '../support/websocket.js'

const schema = `
  type Query { hello: String, big: String, fails: String, add(x: Int!, y: Int!): Int }
  type Mutation { save: Boolean }
  type Subscription { numbers: Int }
`

const resolvers = {
  Query: {
    hello: async () => 'world',
    big: async () => BIG,
    fails: async () => {
      throw new Error('thrown by a resolver')
    },
    add: async (_: unknown, { x, y }: { x: number; y: number }) => x + y,
  },
  Mutation: { save: async () => true },
  Subscription: {
    numbers: {
      subscribe: async function* () {
        for (const numbers of [1, 2, 3]) yield { numbers }
      },
    },
  },
}

function post(query: string): TalkRequest {
  const headers = { 'content-type': 'application/json' }
  return { method: 'POST', url: '/graphql', headers, body: JSON.stringify({ query }) }
}

const INIT = { type: 'connection_init' }
const SUBSCRIBE = { id: '1', type: 'subscribe', payload: { query: 'subscription { numbers }' } }

const STEPS: TalkRequest[] = [
  ...['{ hello }', '{ big }', '{ fails }', '{ add(x: 1, y: 2) }', '{ none }', '{', 'mutation { save }'].map(post),
  { url: '/graphql?query={hello}' },
  { url: '/graphql?query={' },
  {
    url: '/graphql',
    headers: { ...HANDSHAKE, 'sec-websocket-protocol': 'graphql-transport-ws' },
    turns: [
      ['\r\n\r\n', textFrame(JSON.stringify(INIT))],
      ['connection_ack', textFrame(JSON.stringify(SUBSCRIBE))],
      ['complete', closeFrame()],
    ],
  },
]

itIsTheSame(
  'mercurius',
  served(
    async (app, note) => {
      await app.register(mercurius, { schema, resolvers, subscription: true })
      declareRoutes(app, note)
    },
    [...STEPS, ...REQUESTS],
  ),
)
