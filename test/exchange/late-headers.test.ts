import Fastify, { type FastifyReply } from 'fastify'
import { describe, expect, it } from 'vitest'
import audit, { memorySink } from '../../src/index.js'

/** Returns the reply of a handler that goes on after sending it, with and without the plugin. */
async function replies(handle: (reply: FastifyReply) => void): Promise<unknown[]> {
  return Promise.all(
    [true, false].map(async (enabled) => {
      const app = Fastify()
      await app.register(audit, { enabled, sinks: [{ name: 'memory', sink: memorySink() }] })
      app.get('/', (_request, reply) => handle(reply))
      const { statusCode, headers, body } = await app.inject('/')
      await app.close()
      return { statusCode, headers: { ...headers, date: undefined }, body }
    }),
  )
}

describe('a handler that goes on after it has sent its reply', () => {
  it('adds no header to it', async () => {
    const [withPlugin, without] = await replies((reply) => {
      reply.header('x-first', 'yes').send({ ok: true })
      reply.header('x-late', 'no').header('content-length', '1')
    })
    expect(withPlugin).toEqual(without)
    expect(withPlugin).toMatchObject({ body: '{"ok":true}', headers: { 'x-first': 'yes' } })
  })

  it.each<[string, () => object]>([
    ['an object', () => ({ 'x-first': 'yes' })],
    ['an array', () => ['x-first', 'yes']],
  ])('does not change the headers of a raw reply that it gave as %s', async (_, make) => {
    const [withPlugin, without] = await replies((reply) => {
      const headers = make()
      reply.hijack()
      Reflect.apply(reply.raw.writeHead, reply.raw, [200, headers])
      reply.raw.end('hello')
      if (Array.isArray(headers)) headers.push('x-late', 'no')
      else Object.assign(headers, { 'x-late': 'no' })
    })
    expect(withPlugin).toEqual(without)
    expect(withPlugin).toMatchObject({ statusCode: 200, body: 'hello', headers: { 'x-first': 'yes' } })
  })
})
