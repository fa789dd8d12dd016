/** Logins in the trail: who it turned out to be, who it was said to be, and who left. */
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import audit, { type Identity, memorySink, type SinkOptions } from 'fastify-audit-log'

interface User {
  id: string
  name: string
}

/** In place of your users and your sessions. */
const passwords = new Map([['ada', { password: 'analytical engine', user: { id: 'u-7', name: 'Ada' } }]])
const sessions = new Map<string, User>()

function userOf({ headers }: FastifyRequest): User | undefined {
  return sessions.get(headers.authorization?.replace(/^Bearer /, '') ?? '')
}

const toIdentity = ({ id, name }: User, method: string): Identity => ({ accessorId: id, name, method })

export async function buildLogin(sinks: SinkOptions[]): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(audit, {
    sinks,
    identity: (request) => {
      const user = userOf(request)
      return user === undefined ? undefined : toIdentity(user, 'session')
    },
  })

  app.post<{ Body: { name: string; password: string } }>(
    '/session',
    { config: { audit: { action: 'session.begin' } } },
    async (request, reply) => {
      const { name, password } = request.body
      // Nobody has proved to be this user: a claim is an annotation, and no target and no identity.
      request.audit.annotate({ attempted: name })
      const known = passwords.get(name)
      if (known?.password !== password) {
        request.audit.outcome('denied', known === undefined ? 'no such user' : 'wrong password')
        // The client is not told which of them it was.
        return reply.code(401).send({ message: 'Name or password is wrong' })
      }
      // From here on it is known: the record of the outcome has this identity.
      request.audit.identify(toIdentity(known.user, 'password'))
      request.audit.target({ type: 'user', id: known.user.id })
      const token = randomUUID()
      sessions.set(token, known.user)
      return { token }
    },
  )

  app.delete('/session', { config: { audit: { action: 'session.end' } } }, async (request, reply) => {
    // The identity of the receipt stays, although nobody is logged in when the handler has returned.
    sessions.delete(request.headers.authorization?.replace(/^Bearer /, '') ?? '')
    return reply.code(204).send()
  })

  return app
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sink = memorySink()
  const app = await buildLogin([{ name: 'memory', sink }])
  await app.inject({ method: 'POST', url: '/session', payload: { name: 'ada', password: 'difference engine' } })
  const payload = { name: 'ada', password: 'analytical engine' }
  const { token } = (await app.inject({ method: 'POST', url: '/session', payload })).json()
  await app.inject({ method: 'DELETE', url: '/session', headers: { authorization: `Bearer ${token}` } })
  for (const { payload } of sink.events) {
    const { stage, auth, action, outcome = '', reason = '', annotations } = payload
    console.log(
      stage.padEnd(18),
      auth.accessor_id.padEnd(10),
      action,
      outcome,
      reason,
      JSON.stringify(annotations ?? {}),
    )
  }
  await app.close()
}
