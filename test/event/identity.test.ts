import { describe, expect, it } from 'vitest'
import type { AuditOptions, MemorySink } from '../../src/index.js'
import { type Audited, audited } from '../support/app.js'

const ANONYMOUS = {
  accessor_id: 'anonymous',
  name: 'Anonymous Token',
  policies: ['anonymous'],
  create_time: '0001-01-01T00:00:00Z',
}

function authsOf(sink: MemorySink): unknown[] {
  return sink.events.map(({ payload }) => payload.auth)
}

/** What the identity option returned, as JavaScript callers may. */
type Anything = () => unknown

async function withIdentity(identity: Anything, more: AuditOptions = {}): Promise<Audited> {
  const options = { ...more, identity: identity as NonNullable<AuditOptions['identity']> }
  const served = await audited({ options })
  served.app.get('/', async () => 'hello')
  return served
}

describe('identity', () => {
  it('is recorded under the names of the event, in both stages', async () => {
    const { app, sink } = await withIdentity(() => ({
      accessorId: 'u-7',
      name: 'Ada',
      policies: ['read', 'write'],
      groups: ['ops'],
      global: false,
      createTime: new Date(0),
      method: 'jwt',
      onBehalfOf: 'u-8',
    }))
    await app.inject('/')
    const auth = {
      accessor_id: 'u-7',
      name: 'Ada',
      policies: ['read', 'write'],
      groups: ['ops'],
      global: false,
      create_time: '1970-01-01T00:00:00.000Z',
      method: 'jwt',
      on_behalf_of: 'u-8',
    }
    expect(authsOf(sink)).toEqual([auth, auth])
  })

  it('is the anonymous token when there is none', async () => {
    for (const nobody of [undefined, null]) {
      const { app, sink } = await withIdentity(() => nobody)
      await app.inject('/')
      expect(authsOf(sink)).toEqual([ANONYMOUS, ANONYMOUS])
      expect(app.audit.stats().identityErrors).toBe(0)
    }
  })

  it('leaves out what is null or empty, and takes an id of any kind that is a text', async () => {
    const id = { toString: () => '65f0c0ffee' }
    for (const [accessorId, text] of [
      [7, '7'],
      [7n, '7'],
      [id, '65f0c0ffee'],
    ] as const) {
      const { app, sink } = await withIdentity(() => ({ accessorId, name: null, groups: null, createTime: '' }))
      await app.inject('/')
      expect(authsOf(sink)[0]).toEqual({ accessor_id: text })
    }
  })

  const GARBAGE: Record<string, Anything> = {
    throws: () => {
      throw new Error('no user')
    },
    'throws undefined': () => {
      throw undefined
    },
    'returns a promise': () => Promise.resolve({ accessorId: 'u-7' }),
    'returns a promise with an accessorId': () => Object.assign(Promise.resolve(), { accessorId: 'u-7' }),
    'returns a text': () => 'u-7',
    'returns false': () => false,
    'returns no accessorId': () => ({ name: 'Ada' }),
    'returns an empty accessorId': () => ({ accessorId: '' }),
    'returns an object as accessorId': () => ({ accessorId: { id: 'u-7' } }),
    'returns a promise as accessorId': () => ({ accessorId: Promise.resolve('u-7') }),
    'returns a function as accessorId': () => ({ accessorId: () => 'u-7' }),
    'returns what is no text': () => ({ accessorId: Object.create(null) }),
    'returns a text for policies': () => ({ accessorId: 'u-7', policies: 'admin' }),
    'returns an object among groups': () => ({ accessorId: 'u-7', groups: [{}] }),
    'returns no time as createTime': () => ({ accessorId: 'u-7', createTime: new Date(Number.NaN) }),
  }

  for (const [what, identity] of Object.entries(GARBAGE)) {
    it(`that ${what} is anonymous, counted and logged, and fails no request`, async () => {
      const { app, sink, logged } = await withIdentity(identity)
      const reply = await app.inject('/')
      expect([reply.statusCode, reply.body]).toEqual([200, 'hello'])
      expect(authsOf(sink)).toEqual([ANONYMOUS, ANONYMOUS])
      expect(app.audit.stats().identityErrors).toBeGreaterThan(0)
      expect(logged.some(({ msg }) => String(msg).includes('`identity`'))).toBe(true)
    })
  }

  it('is what the application says at that moment, also when it hands in the same object again', async () => {
    const identity = { accessorId: 'u-7', name: 'Ada', policies: ['read'], groups: ['ops'] }
    const { app, sink } = await withIdentity(() => identity)
    const seen = []
    for (const change of [
      () => undefined,
      () => undefined,
      () => identity.policies.push('write'),
      () => identity.groups.splice(0, 1, 'dev'),
      () => Object.assign(identity, { name: 'Ada L.' }),
      () => Object.assign(identity, { policies: undefined }),
      () => Object.assign(identity, { global: true, method: 'jwt', onBehalfOf: 'u-8' }),
      () => Object.assign(identity, { createTime: new Date(0) }),
      () => identity,
    ]) {
      change()
      await app.inject('/')
      seen.push(authsOf(sink).slice(-2))
    }
    const ada = { accessor_id: 'u-7', name: 'Ada', policies: ['read'], groups: ['ops'] }
    const wide = { ...ada, policies: ['read', 'write'] }
    const moved = { ...wide, groups: ['dev'] }
    const { policies: _, ...bare } = { ...moved, name: 'Ada L.' }
    const full = { ...bare, global: true, method: 'jwt', on_behalf_of: 'u-8' }
    const dated = { ...full, create_time: '1970-01-01T00:00:00.000Z' }
    const auths = [ada, ada, wide, moved, { ...moved, name: 'Ada L.' }, bare, full, dated, dated]
    expect(seen).toEqual(auths.map((auth) => [auth, auth]))
  })

  it('is right for each of more callers than are remembered', async () => {
    let caller = 0
    const { app, sink } = await withIdentity(() => ({ accessorId: `u-${caller % 1100}`, name: `n-${caller}` }))
    const expected = []
    for (; caller < 1200; caller++) {
      await app.inject('/')
      const auth = { accessor_id: `u-${caller % 1100}`, name: `n-${caller}` }
      expected.push(auth, auth)
    }
    expect(authsOf(sink).slice(-2 * caller)).toEqual(expected)
  })

  it('with keys that are not recorded is recorded without them, and the log names each of them once', async () => {
    let more: object = { nam: 'Ada', role: 'x'.repeat(200) }
    let caller = 0
    const { app, sink, logged } = await withIdentity(() => ({ accessorId: `u-${caller}`, ...more }))
    for (; caller < 3; caller++) await app.inject('/')
    more = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`key${index}`, index]))
    for (; caller < 6; caller++) await app.inject('/')
    expect(new Set(sink.events.flatMap(({ payload }) => Object.keys(payload.auth)))).toEqual(new Set(['accessor_id']))
    const messages = logged.map(({ msg }) => String(msg)).filter((msg) => msg.includes('not recorded'))
    expect(messages).toHaveLength(2)
    expect(messages[0]).toContain('keys that are not recorded: nam, role; accessorId, name,')
    expect(messages[1]).toMatch(/: key0, key1,.* key13; accessorId/)
    expect(app.audit.stats().identityErrors).toBe(0)
  })

  it('that fails for every request is counted each time, and logged once a minute', async () => {
    const { app, logged } = await withIdentity(() => {
      throw new Error('no user')
    })
    for (let request = 0; request < 5; request++) await app.inject('/')
    expect(app.audit.stats().identityErrors).toBe(10)
    expect(logged.filter(({ msg }) => String(msg).includes('`identity`'))).toHaveLength(1)
  })

  it('is true for `global` only when it is true', async () => {
    const { app, sink } = await withIdentity(() => ({ accessorId: 'u-7', global: 'false' }))
    await app.inject('/')
    expect(authsOf(sink)[0]).toEqual({ accessor_id: 'u-7', global: false })
  })

  it('that returns a promise which rejects ends no process: the rejection is logged', async () => {
    const failure = () => Promise.reject(new Error('no database'))
    const unhandled: unknown[] = []
    const onUnhandled = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', onUnhandled)
    const { app, logged } = await withIdentity(failure, { namespace: failure as unknown as () => string })
    await app.inject('/')
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', onUnhandled)
    expect(unhandled).toEqual([])
    expect(logged.filter(({ msg }) => String(msg).includes('was rejected'))).not.toEqual([])
  })

  it('that was anonymous is filled in when authentication ran later', async () => {
    const { app, sink } = await audited({
      options: {
        identity: (request) => {
          const user: unknown = Reflect.get(request, 'user')
          return typeof user === 'string' ? { accessorId: user } : undefined
        },
      },
    })
    app.decorateRequest('user', null)
    app.addHook('preHandler', async (request) => void Reflect.set(request, 'user', 'u-7'))
    app.get('/', async () => 'hello')
    await app.inject('/')
    expect(authsOf(sink)).toEqual([ANONYMOUS, { accessor_id: 'u-7' }])
    expect(app.audit.stats().authChanged).toBe(0)
  })

  it('that was known stays, whoever it is or is not at the end', async () => {
    for (const [later, changed] of [
      [{ accessorId: 'u-8' }, true],
      [undefined, false],
    ] as const) {
      let calls = 0
      const { app, sink } = await withIdentity(() => (calls++ === 0 ? { accessorId: 'u-7' } : later))
      await app.inject('/')
      expect(authsOf(sink)).toEqual([{ accessor_id: 'u-7' }, { accessor_id: 'u-7' }])
      expect(sink.events.map(({ payload }) => payload.auth_changed)).toEqual([undefined, changed || undefined])
      expect(app.audit.stats().authChanged).toBe(changed ? 1 : 0)
    }
  })

  it('that acts on behalf of somebody at the end says so in Complete', async () => {
    let calls = 0
    const { app, sink } = await withIdentity(() => ({
      accessorId: 'u-7',
      onBehalfOf: calls++ === 0 ? undefined : 'u-9',
    }))
    await app.inject('/')
    expect(authsOf(sink)).toEqual([{ accessor_id: 'u-7' }, { accessor_id: 'u-7', on_behalf_of: 'u-9' }])
    expect(sink.events.map(({ payload }) => payload.auth_changed)).toEqual([undefined, undefined])
  })

  it.each([
    ['another caller', { accessorId: 'u-8', name: 'Zo\u00eb' }, { accessor_id: 'u-8', name: 'Zo\u00eb' }],
    [
      'another caller, on behalf of somebody,',
      { accessorId: 'u-8', onBehalfOf: 'u-9' },
      { accessor_id: 'u-8', on_behalf_of: 'u-9' },
    ],
  ])('that is %s at the end is in Complete beside the first one', async (_, later, recorded) => {
    let calls = 0
    const { app, sink } = await withIdentity(() => (calls++ === 0 ? { accessorId: 'u-7' } : later))
    await app.inject('/')
    expect(authsOf(sink)).toEqual([{ accessor_id: 'u-7' }, { accessor_id: 'u-7' }])
    expect(sink.events.map(({ payload }) => payload.auth_at_end)).toEqual([undefined, recorded])
  })
})

describe('namespace', () => {
  const cases: Record<string, [Anything, string, number]> = {
    'a text': [() => 'team-a', 'team-a', 0],
    nothing: [() => undefined, 'default', 0],
    'a promise': [() => Promise.resolve('team-a'), 'default', 1],
    'a number': [() => 7, 'default', 1],
    null: [() => null, 'default', 1],
    'an error': [
      () => {
        throw new Error('no tenant')
      },
      'default',
      1,
    ],
  }
  for (const [what, [namespace, expected, errors]] of Object.entries(cases)) {
    it(`that is ${what} is recorded as "${expected}"`, async () => {
      const { app, sink } = await audited({
        options: { namespace: namespace as NonNullable<AuditOptions['namespace']> },
      })
      app.get('/', async () => 'hello')
      expect((await app.inject('/')).statusCode).toBe(200)
      expect(sink.events.map(({ payload }) => payload.request.namespace.id)).toEqual([expected, expected])
      expect(app.audit.stats().namespaceErrors).toBe(errors)
    })
  }
})
