import { describe, expect, it } from 'vitest'
import { ask } from '../support/wire.js'
import { deferred, serve } from './server.js'

describe('a write after the end of a held reply', () => {
  it('is refused, and its callbacks get the error', async () => {
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
          reply.raw.on('error', () => undefined)
          reply.raw.end('hello')
          reply.raw.write('late', tell)
          Reflect.apply(reply.raw.end, reply.raw, ['later', tell])
        })
      },
    })
    const [got] = await ask(served.port, {})
    await all.promise
    expect([got?.body, told]).toEqual(['hello', ['ERR_STREAM_WRITE_AFTER_END', 'ERR_STREAM_WRITE_AFTER_END']])
  })
})
