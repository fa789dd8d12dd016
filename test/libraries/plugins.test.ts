import caching from '@fastify/caching'
import compress from '@fastify/compress'
import cookie from '@fastify/cookie'
import earlyHints from '@fastify/early-hints'
import etag from '@fastify/etag'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import session from '@fastify/session'
import staticFiles from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { cookiesOf, type TalkStep } from './support/client.js'
import { itIsTheSame, type Subject, served } from './support/compare.js'
import { etagOf, FILE_STEPS, publicFolder } from './support/files.js'
import { declareRoutes, REQUESTS } from './support/routes.js'

declare module 'fastify' {
  interface Session {
    visits?: number
  }
}

interface Plugin {
  name: string
  register(app: FastifyInstance): unknown
  /** Routes of its own, beside those of every library. */
  declare?(app: FastifyInstance): unknown
  steps?: TalkStep[]
  normalise?: NonNullable<Subject['normalise']>
}

const PLUGINS: Plugin[] = [
  {
    name: '@fastify/compress',
    register: (app) => app.register(compress, { threshold: 0 }),
    declare: (app) => app.get('/explicit', async (_request, reply) => reply.compress('compressed '.repeat(500))),
    steps: [
      { url: '/explicit', headers: { 'accept-encoding': 'br' } },
      { url: '/big', headers: { 'accept-encoding': 'deflate' } },
    ],
  },
  {
    name: '@fastify/etag',
    register: (app) => app.register(etag),
    steps: [
      { url: '/json' },
      (previous) => ({ url: '/json', headers: { 'if-none-match': etagOf(previous) } }),
      { url: '/big' },
      (previous) => ({ method: 'HEAD', url: '/big', headers: { 'if-none-match': etagOf(previous) } }),
    ],
  },
  {
    name: '@fastify/static',
    register: (app) => app.register(staticFiles, { root: publicFolder(), prefix: '/files/' }),
    declare: (app) => app.get('/sent', (_request, reply) => reply.code(201).sendFile('page.html')),
    steps: [...FILE_STEPS, { url: '/sent' }, { url: '/files/../page.html' }],
  },
  {
    name: '@fastify/cookie',
    register: (app) => app.register(cookie, { secret: 'secret' }),
    declare: (app) => {
      app.get('/signed', async (request, reply) => {
        reply.setCookie('plain', 'a b', { path: '/', httpOnly: true })
        reply.setCookie('signed', 'value', { signed: true })
        return request.cookies
      })
      app.get('/cleared', (_request, reply) => reply.clearCookie('plain').send({ cleared: true }))
    },
    steps: [
      { url: '/signed' },
      (previous) => ({ url: '/signed', headers: { cookie: cookiesOf(previous) } }),
      { url: '/cleared' },
    ],
  },
  {
    name: '@fastify/session',
    register: async (app) => {
      await app.register(cookie)
      await app.register(session, { secret: 'a secret of more than thirty-two characters', cookie: { secure: false } })
    },
    declare: (app) => {
      app.get('/visits', async (request) => {
        request.session.visits = (request.session.visits ?? 0) + 1
        return { visits: request.session.visits }
      })
      app.get('/leave', async (request) => {
        await request.session.destroy()
        return { left: true }
      })
    },
    steps: [
      { url: '/visits' },
      (previous) => ({ url: '/visits', headers: { cookie: cookiesOf(previous) } }),
      (previous) => ({ url: '/leave', headers: { cookie: cookiesOf(previous) } }),
    ],
    normalise: [[/sessionId=[^;]+/g, 'sessionId=(id)']],
  },
  { name: '@fastify/helmet', register: (app) => app.register(helmet) },
  {
    name: '@fastify/rate-limit',
    register: (app) => app.register(rateLimit, { max: 1000, timeWindow: '1 hour' }),
    declare: (app) => app.get('/rare', { config: { rateLimit: { max: 1 } } }, async () => 'once'),
    steps: [{ url: '/rare' }, { url: '/rare' }],
    // Seconds that are left of the hour.
    normalise: [
      [/^(x-ratelimit-reset|retry-after): \d+/gim, '$1: (seconds)'],
      [/retry in \d+ \w+/g, 'retry in (time)'],
    ],
  },
  {
    name: '@fastify/caching',
    register: (app) => app.register(caching, { privacy: caching.privacy.PUBLIC, expiresIn: 300 }),
    declare: (app) => {
      app.get('/cached', (_request, reply) => {
        reply.etag('fixed', 60_000).expires(new Date(0)).send({ cached: true })
      })
    },
    steps: [{ url: '/cached' }, { url: '/cached', headers: { 'if-none-match': 'fixed' } }],
  },
  {
    name: '@fastify/early-hints',
    // Its release says that it is for Fastify 4: it is called by a plugin instead of being registered.
    register: (app) => app.register(fp((instance, _options, done) => earlyHints(instance, {}, done))),
    declare: (app) => {
      app.get('/hinted', async (_request, reply) => {
        await reply.writeEarlyHints({ link: ['</style.css>; rel=preload', '</script.js>; rel=preload'] })
        await reply.writeEarlyHintsLinks(['</font.woff>; rel=preload'])
        return { hinted: true }
      })
    },
    steps: [{ url: '/hinted' }, { method: 'HEAD', url: '/hinted' }],
  },
  {
    name: '@fastify/compress, etag, helmet, cookie and session together',
    register: async (app) => {
      await app.register(helmet)
      await app.register(cookie)
      await app.register(session, { secret: 'a secret of more than thirty-two characters', cookie: { secure: false } })
      await app.register(etag)
      await app.register(compress, { threshold: 0 })
    },
    normalise: [[/sessionId=[^;]+/g, 'sessionId=(id)']],
  },
]

for (const { name, register, declare, steps = [], normalise = [] } of PLUGINS) {
  const subject = served(
    async (app, note) => {
      // An instance is awaited by nobody: that would boot it.
      const done = register(app)
      if (done instanceof Promise) await done
      else await app.after()
      declareRoutes(app, note)
      declare?.(app)
    },
    [...REQUESTS, ...steps],
    { normalise },
  )
  itIsTheSame(name, subject)
}
