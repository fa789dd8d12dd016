import express from '@fastify/express'
import middie from '@fastify/middie'
import compression from 'compression'
import cookieSession from 'cookie-session'
import session from 'express-session'
import type { FastifyInstance } from 'fastify'
import morgan from 'morgan'
import responseTime from 'response-time'
import serveStatic from 'serve-static'
import { describe } from 'vitest'
import { cookiesOf, type TalkRequest, type TalkStep } from './support/client.js'
import { itIsTheSame, type Note, type Subject, served } from './support/compare.js'
import { FILE_STEPS, publicFolder } from './support/files.js'
import { declareRoutes, REQUESTS } from './support/routes.js'

/** What lets Fastify use middleware. */
const WAYS = [
  ['@fastify/middie', middie],
  ['@fastify/express', express],
] as const

type Way = (typeof WAYS)[number][1]

interface Library {
  name: string
  use(app: FastifyInstance, note: Note, way: Way): unknown
  /** Routes of its own, beside those of every library. */
  declare?(app: FastifyInstance): void
  steps?: TalkStep[]
  normalise?: NonNullable<Subject['normalise']>
  /** Fails in one of the ways without the audit, too. */
  failsThrough?: Way
}

/** Counts the visits of a client that returns with its cookies. */
function declareVisits(app: FastifyInstance): void {
  app.get('/visits', async ({ raw }) => {
    if (!hasSession(raw)) throw new Error('there is no session')
    raw.session.visits = (raw.session.visits ?? 0) + 1
    return { visits: raw.session.visits }
  })
}

function hasSession(raw: object): raw is { session: { visits?: number } } {
  return 'session' in raw
}

const VISITS: TalkStep[] = [
  { url: '/visits' },
  (previous) => ({ url: '/visits', headers: { cookie: cookiesOf(previous) } }),
  { method: 'HEAD', url: '/visits' },
]

const LIBRARIES: Library[] = [
  {
    name: 'express-session',
    use: (app) => app.use(session({ secret: 'secret', resave: true, saveUninitialized: true, rolling: true })),
    declare: declareVisits,
    steps: VISITS,
    normalise: [[/connect\.sid=[^;]+/g, 'connect.sid=(id)']],
  },
  {
    name: 'express-session without a session that is not used',
    use: (app) => app.use(session({ secret: 'secret', resave: false, saveUninitialized: false })),
    declare: declareVisits,
    steps: VISITS,
    normalise: [[/connect\.sid=[^;]+/g, 'connect.sid=(id)']],
  },
  { name: 'compression', use: (app) => app.use(compression({ threshold: 0 })), failsThrough: express },
  {
    name: 'cookie-session',
    use: (app) => app.use(cookieSession({ keys: ['key'] })),
    declare: declareVisits,
    steps: VISITS,
  },
  {
    name: 'morgan',
    use: (app, note) =>
      app.use(morgan(':method :url :status :res[content-length]', { stream: { write: (line) => note(line) } })),
  },
  {
    name: 'response-time',
    use: (app) => app.use(responseTime()),
    normalise: [[/^x-response-time: [\d.]+ms/gim, 'X-Response-Time: (time)']],
  },
  { name: 'serve-static', use: (app) => app.use('/files', serveStatic(publicFolder())), steps: FILE_STEPS },
  {
    name: 'morgan, response-time, compression and express-session together',
    use: (app, note, way) => {
      app.use(morgan(':method :url :status', { stream: { write: (line) => note(line) } }))
      app.use(responseTime())
      // It fails through the other without the audit, too.
      if (way === middie) app.use(compression({ threshold: 0 }))
      app.use(session({ secret: 'secret', resave: true, saveUninitialized: true }))
    },
    declare: declareVisits,
    steps: VISITS,
    normalise: [
      [/connect\.sid=[^;]+/g, 'connect.sid=(id)'],
      [/^x-response-time: [\d.]+ms/gim, 'X-Response-Time: (time)'],
    ],
  },
]

describe.each(WAYS)('through %s', (_, way) => {
  // It says of every raw response that its headers are not sent, so that Fastify sends a second reply.
  const isAsked = ({ url }: TalkRequest): boolean => way !== express || url !== '/raw-events'

  for (const { name, use, declare, steps = [], normalise = [], failsThrough } of LIBRARIES) {
    if (failsThrough === way) continue
    const subject = served(
      async (app, note) => {
        await app.register(way)
        use(app, note, way)
        declareRoutes(app, note)
        declare?.(app)
      },
      [...REQUESTS.filter(isAsked), ...steps],
      { normalise },
    )
    itIsTheSame(name, subject)
  }
})
