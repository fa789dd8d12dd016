import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { audited, portOf } from '../support/app.js'
import { ask } from '../support/wire.js'

/** Asks, and waits for the whole of the reply. */
function get(options: object): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ path: '/', agent: false, ...options }, (reply) => {
      reply.resume().on('end', () => resolve(reply.statusCode))
    })
    sent.on('error', reject).end()
  })
}

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

describe('what a record says of a connection', () => {
  it('is the address of both ends', async () => {
    const { app, sink } = await audited()
    const port = await portOf(app)
    await ask(port, {})
    for (const { payload } of sink.events) {
      expect(payload.request.request_meta.remote_address).toMatch(/^127\.0\.0\.1:\d+$/)
      expect(payload.request.node_meta.ip).toBe(`127.0.0.1:${port}`)
      expect(payload.request.request_meta).not.toHaveProperty('source_ips')
    }
    expect(sink.events).toHaveLength(2)
  })

  it('is an IPv6 address in brackets', async () => {
    const { app, sink } = await audited()
    await app.listen({ host: '::1', port: 0 })
    const address = app.server.address()
    if (typeof address !== 'object' || address === null) throw new Error('the server has no port')
    await get({ host: '::1', port: address.port })
    expect(sink.events[0]?.payload.request.request_meta.remote_address).toMatch(/^\[::1\]:\d+$/)
    expect(sink.events[0]?.payload.request.node_meta.ip).toBe(`[::1]:${address.port}`)
  })

  it('is an IPv4 address where the socket shows one as IPv6, and so is each of a proxy', async () => {
    const { app, sink } = await audited({ factory: { trustProxy: true } })
    await app.listen({ host: '::', port: 0 })
    const address = app.server.address()
    if (typeof address !== 'object' || address === null) throw new Error('the server has no port')
    const forwarded = '::ffff:10.0.0.1, ::FFFF:10.0.0.2, ::ffff:10.0.0.999, ::ffff:a00:1, 2001:db8::1'
    await get({ host: '127.0.0.1', port: address.port, headers: { 'x-forwarded-for': forwarded } })
    const { request_meta, node_meta } = sink.events[0]?.payload.request ?? {}
    expect(request_meta?.remote_address).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(node_meta?.ip).toBe(`127.0.0.1:${address.port}`)
    const ips = ['127.0.0.1', '2001:db8::1', '::ffff:a00:1', '::ffff:10.0.0.999', '10.0.0.2', '10.0.0.1']
    expect(request_meta?.source_ips).toEqual(ips)
  })

  it('is "local" over a unix socket, also behind a proxy that is trusted', async () => {
    for (const trustProxy of [false, true]) {
      const directory = mkdtempSync(join(tmpdir(), 'audit-'))
      onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
      const { app, sink } = await audited({ factory: { trustProxy } })
      app.get('/', async () => 'hello')
      const socketPath = join(directory, 'server.sock')
      await app.listen({ path: socketPath })
      expect(await get({ socketPath, headers: { 'x-forwarded-for': '10.0.0.1' } })).toBe(200)
      const meta = sink.events[0]?.payload.request.request_meta
      expect(meta?.remote_address).toBe('local')
      expect(meta?.source_ips).toEqual(trustProxy ? ['10.0.0.1'] : undefined)
    }
  })

  it('keeps the address of the socket beside what a proxy says', async () => {
    const { app, sink } = await audited({ factory: { trustProxy: true } })
    const port = await portOf(app)
    await ask(port, { headers: { 'x-forwarded-for': '10.0.0.1, "}, 203.0.113.9' } })
    const meta = sink.events[0]?.payload.request.request_meta
    expect(meta?.remote_address).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(meta?.source_ips).toEqual(['127.0.0.1', '203.0.113.9', '"}', '10.0.0.1'])
  })

  it('holds a traceparent when it is valid, and a user agent when there is one', async () => {
    const { app, sink } = await audited()
    const metas = async (headers: Record<string, string>) => {
      await app.inject({ url: '/', headers })
      return sink.events.at(-1)?.payload.request.request_meta
    }
    expect(await metas({ traceparent: TRACEPARENT, 'user-agent': 'curl/8' })).toMatchObject({
      traceparent: TRACEPARENT,
      user_agent: 'curl/8',
    })
    const without = await metas({ traceparent: `${TRACEPARENT}"`, 'user-agent': '' })
    expect(without).not.toHaveProperty('traceparent')
    expect(without?.user_agent).toBe('')
  })
})
