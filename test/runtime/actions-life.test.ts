import { AsyncLocalStorage } from 'node:async_hooks'
import Fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import audit, { type ActionAudit, type ActionPayload, type MemorySink, memorySink } from '../../src/index.js'
import { audited } from '../support/app.js'
import { until } from '../support/staged-sink.js'
import { expectNothingUncaught } from '../support/uncaught.js'

function actionsOf({ entries }: MemorySink): ActionPayload[] {
  return entries.flatMap(({ event: { payload } }) => (payload.type === 'action' ? [payload] : []))
}

function typesOf({ entries }: MemorySink): string[] {
  return entries.map(({ event: { payload } }) => (payload.type === 'action' ? payload.action : payload.type))
}

/** A function of work that goes on until it is told to end. */
function gate() {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

describe('actions from the boot to the close', () => {
  expectNothingUncaught()

  it('are refused while the trail is being opened: nothing comes before its start', async () => {
    const { open, opened } = gate()
    const sink = memorySink()
    let isOpening = false
    const slow = Object.assign(sink, {
      open: () => {
        isOpening = true
        return opened
      },
    })
    const { app } = await audited({ sink: slow })
    const ready = app.ready()
    await until(() => isOpening)
    const early = app.audit.record({ action: 'early' }).catch((error: unknown) => Object(error).code)
    open()
    await ready
    expect(await early).toBe('FST_AUDIT_NOT_RECORDED')
    await app.audit.record({ action: 'late' })
    expect(typesOf(sink)).toEqual(['start', 'late'])
  })

  it('are taken in later hooks onReady, and in hooks onClose', async () => {
    const { app, sink } = await audited()
    app.addHook('onReady', () => app.audit.record({ action: 'on-ready' }))
    app.addHook('onClose', () => app.audit.record({ action: 'on-close' }))
    await app.ready()
    await app.close()
    expect(typesOf(sink)).toEqual(['start', 'on-ready', 'on-close', 'stop'])
  })

  it('are refused after a boot that failed', async () => {
    const app = Fastify()
    const broken = Object.assign(memorySink(), { open: () => Promise.reject(new Error('no disk')) })
    await app.register(audit, { closeTimeout: '1s', sinks: [{ name: 'broken', sink: broken }] })
    await expect(app.ready()).rejects.toThrow()
    await expect(app.audit.record({ action: 'a' })).rejects.toMatchObject({ code: 'FST_AUDIT_NOT_RECORDED' })
  })

  it.each([
    [
      'work',
      (app: ReturnType<typeof Fastify>, inside: (own: ActionAudit) => Promise<unknown>) =>
        app.audit.run({ action: 'outer' }, inside),
    ],
    ['a request', (app: ReturnType<typeof Fastify>) => app.inject('/')],
  ] as const)('are taken inside %s that the close waits for', async (_, begin) => {
    const { app, sink } = await audited()
    const { open, opened } = gate()
    let ran = 0
    const inside = async (own: ActionAudit): Promise<string> => {
      await opened
      await own.record({ action: 'inner' })
      return own.run({ action: 'inner work' }, () => {
        ran++
        return 'done'
      })
    }
    app.get('/', (request) => inside(request.audit))
    await app.ready()
    const outer = begin(app, inside)
    await until(() => app.audit.stats().open === 1)
    const closed = app.close()
    await until(() => !app.server.listening)
    open()
    await Promise.all([outer, closed])
    expect(ran).toBe(1)
    expect(actionsOf(sink).filter(({ action }) => action.startsWith('inner'))).toHaveLength(3)
    expect(typesOf(sink).at(-1)).toBe('stop')
    expect(app.audit.stats()).toMatchObject({ open: 0, actionsNotRecorded: 0, actionsWithheld: 0 })
  })

  it('end in time when the sink hangs: work does not begin, its late beginning is followed by a complaint', async () => {
    const { app, sink } = await audited({ options: { closeTimeout: '200ms' } })
    await app.ready()
    await app.audit.flush()
    sink.hang()
    let ran = 0
    const work = app.audit.run({ action: 'a' }, () => ran++).catch((error: unknown) => Object(error).code)
    const event = app.audit.record({ action: 'b' }).catch((error: unknown) => Object(error).code)
    await app.close()
    expect(await Promise.all([work, event])).toEqual(['FST_AUDIT_NOT_RECORDED', 'FST_AUDIT_NOT_RECORDED'])
    expect(ran).toBe(0)
    expect(app.audit.stats().open).toBe(0)
    sink.recover()
  })

  it('counts a result that is withheld because the close cut its work off', async () => {
    const { app, sink } = await audited({ options: { closeTimeout: '100ms' } })
    await app.ready()
    const { open, opened } = gate()
    const work = app.audit.run({ action: 'a' }, () => opened).catch((error: unknown) => Object(error).code)
    await until(() => actionsOf(sink).length === 1)
    await app.close()
    open()
    expect(await work).toBe('FST_AUDIT_RESPONSE_WITHHELD')
    expect(app.audit.stats()).toMatchObject({ open: 0, actionsWithheld: 1 })
  })
})

describe('many pieces of work at once', () => {
  expectNothingUncaught()

  it('keep their own context, and are all over', async () => {
    const { app, sink } = await audited()
    await app.ready()
    const context = new AsyncLocalStorage<number>()
    const count = 3000
    const results = await Promise.all(
      Array.from({ length: count }, (_, number) =>
        context.run(number, () =>
          app.audit.run({ action: 'outer' }, async (work) => {
            const before = context.getStore()
            await work.record({ action: 'inner' })
            return [before, context.getStore()]
          }),
        ),
      ),
    )
    expect(results).toEqual(Array.from({ length: count }, (_, number) => [number, number]))
    expect(app.audit.stats()).toMatchObject({ open: 0, actions: 2 * count, actionsNotRecorded: 0 })
    const parents = new Set(actionsOf(sink).flatMap(({ parent }) => parent ?? []))
    expect(parents.size).toBe(count)
  })
})
