import { describe, expect, it } from 'vitest'
import { deferred, serve } from './server.js'

describe('what comes after the end of a held reply', () => {
  it('is turned away, and its callbacks are told', async () => {
    const told: unknown[] = []
    const all = deferred()
    const tell = (error?: Error | null): void => {
      told.push(error && 'code' in error ? error.code : error)
      if (told.length === 2) all.resolve()
    }
    const served = await serve({
      declare: (app) => {
        app.get('/', (_request, reply) => {
          reply.hijack()
          reply.raw.end('hello')
          reply.raw.write('late', tell)
          Reflect.apply(reply.raw.end, reply.raw, ['later', tell])
        })
      },
    })
    const { body } = await served.app.inject('/')
    await all.promise
    expect([body, told]).toEqual(['hello', ['ERR_STREAM_WRITE_AFTER_END', 'ERR_STREAM_WRITE_AFTER_END']])
  })
})
