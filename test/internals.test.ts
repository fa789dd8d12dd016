import Fastify, { type FastifyRequest } from 'fastify'
import { describe, expect, it } from 'vitest'
import { routeConfigReader } from '../src/internals.js'

describe('routeConfigReader', () => {
  it('reads what Fastify publishes of a route, of one in a prefix, and of none', async () => {
    const app = Fastify()
    const read = routeConfigReader()
    const urls: Array<string | undefined> = []
    app.addHook('onRequest', async (request) => {
      expect(read(request)).toBe(request.routeOptions.config)
      urls.push(read(request)?.url)
    })
    app.get('/jobs/:id', { config: { audit: true } }, async () => 'ok')
    await app.register(async (part) => part.get('/nodes', async () => 'ok'), { prefix: '/v1' })
    for (const url of ['/jobs/1', '/v1/nodes', '/nowhere', '/jobs/2']) await app.inject(url)
    expect(urls).toEqual(['/jobs/:id', '/v1/nodes', undefined, '/jobs/:id'])
    await app.close()
  })

  it('reads it without what a published look costs, but for the first', async () => {
    const app = Fastify()
    const read = routeConfigReader()
    let looks = 0
    app.addHook('onRequest', async (request) => {
      const { config } = request.routeOptions
      Object.defineProperty(request, 'routeOptions', {
        get: () => {
          looks++
          return { config }
        },
      })
      expect(read(request)).toBe(config)
    })
    app.get('/', async () => 'ok')
    for (let count = 0; count < 3; count++) await app.inject('/')
    expect(looks).toBe(1)
    await app.close()
  })

  it.each([
    ['no context', {}],
    ['a context of another kind', { [Symbol('fastify.context')]: { config: { url: '/other' } } }],
    ['a context that is none', { [Symbol('fastify.context')]: 'kept elsewhere' }],
  ])('believes what Fastify publishes where it keeps %s', (_, kept) => {
    const config = { url: '/', method: 'GET' }
    const request = { ...kept, routeOptions: { config } } as unknown as FastifyRequest
    const read = routeConfigReader()
    expect(read(request)).toBe(config)
    expect(read(request)).toBe(config)
  })
})
