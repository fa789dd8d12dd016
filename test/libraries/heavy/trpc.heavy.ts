import { initTRPC, TRPCError } from '@trpc/server'
import { fastifyTRPCPlugin } from '@trpc/server/adapters/fastify'
import { turns } from '../../support/staged-sink.js'
import type { TalkRequest } from '../support/client.js'
import { itIsTheSame, served } from '../support/compare.js'
import { BIG, declareRoutes, REQUESTS } from '../support/routes.js'

const t = initTRPC.create({ isDev: false })

const router = t.router({
  hello: t.procedure.query(() => ({ hello: 'world' })),
  big: t.procedure.query(() => BIG),
  late: t.procedure.query(async () => {
    await turns(5)
    return 'late'
  }),
  denied: t.procedure.query(() => {
    throw new TRPCError({ code: 'FORBIDDEN', message: 'not yours' })
  }),
  save: t.procedure.mutation(() => ({ saved: true })),
  numbers: t.procedure.subscription(async function* () {
    for (const number of [1, 2, 3]) {
      await turns(2)
      yield number
    }
  }),
})

const under = (path: string): string => `/trpc/${path}`
const JSON_TYPE = { 'content-type': 'application/json' }

const STEPS: TalkRequest[] = [
  ...['hello', 'big', 'late', 'denied', 'none', 'hello,late?batch=1', 'hello,denied?batch=1'].map((path) => ({
    url: under(path),
  })),
  { url: under('hello,late?batch=1'), headers: { 'trpc-accept': 'application/jsonl' } },
  { url: under('numbers'), headers: { accept: 'text/event-stream' } },
  { method: 'HEAD', url: under('hello') },
  { method: 'POST', url: under('save'), headers: JSON_TYPE, body: '{}' },
  { method: 'POST', url: under('save'), headers: JSON_TYPE, body: '{' },
]

itIsTheSame(
  '@trpc/server',
  served(
    async (app, note) => {
      await app.register(fastifyTRPCPlugin, { prefix: '/trpc', trpcOptions: { router } })
      declareRoutes(app, note)
    },
    [...STEPS, ...REQUESTS],
  ),
)
