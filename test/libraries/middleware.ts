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

/** The packages that let Fastify use middleware. */
const PACKAGES = { '@fastify/middie': middie, '@fastify/express': express }

type PackageName = keyof typeof PACKAGES

interface Library {
  name: string
  use(app: FastifyInstance, note: Note, packageName: PackageName): unknown
  /** Routes of its own, beside those of every library. */
  declare?(app: FastifyInstance): void
  steps?: TalkStep[]
  normalise?: NonNullable<Subject['normalise']>
  /** The package that it fails through without the audit, too. */
  failsThrough?: PackageName
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

/** The name of the subject that uses several libraries at once. */
export const ALL_TOGETHER = 'morgan, response-time, compression and express-session together'

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
  { name: 'compression', use: (app) => app.use(compression({ threshold: 0 })), failsThrough: '@fastify/express' },
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
    name: ALL_TOGETHER,
    use: (app, note, packageName) => {
      app.use(morgan(':method :url :status', { stream: { write: (line) => note(line) } }))
      app.use(responseTime())
      // It fails through @fastify/express without the audit, too.
      if (packageName === '@fastify/middie') app.use(compression({ threshold: 0 }))
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

/** Declares the tests of the libraries that `isTried` picks, through one package. */
export function middlewareIsTheSame(packageName: PackageName, isTried: (name: string) => boolean = () => true): void {
  describe(`through ${packageName}`, () => {
    for (const library of LIBRARIES) {
      if (library.failsThrough === packageName || !isTried(library.name)) continue
      itIsTheSame(library.name, subjectOf(library, packageName))
    }
  })
}

function subjectOf({ use, declare, steps = [], normalise = [] }: Library, packageName: PackageName): Subject {
  // @fastify/express says of every raw response that its headers are not sent, so that Fastify sends a second reply.
  const isAsked = ({ url }: TalkRequest): boolean => packageName !== '@fastify/express' || url !== '/raw-events'
  return served(
    async (app, note) => {
      await app.register(PACKAGES[packageName])
      use(app, note, packageName)
      declareRoutes(app, note)
      declare?.(app)
    },
    [...REQUESTS.filter(isAsked), ...steps],
    { normalise },
  )
}
