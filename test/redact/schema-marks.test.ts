import Fastify, { type FastifyServerOptions } from 'fastify'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { marksOf, schemaMarkProblem } from '../../src/redact/schema-marks.js'
import { audited } from '../support/app.js'

const MARK = { type: 'string', 'x-audit': 'redact' }

function marks(body: unknown, schemas: Record<string, unknown> = {}): string[] {
  return [...(marksOf({ body }, (id) => schemas[id]) ?? [])].sort()
}

describe('the marks in a schema', () => {
  it('are names of properties, in the form in which keys are compared', () => {
    expect(
      marks({ properties: { 'Home-Address': MARK, pet_name: { audit: 'redact' }, age: { type: 'number' } } }),
    ).toEqual([...['homeaddress', 'petname']])
    expect(marksOf({ body: { properties: { age: {} } } }, () => undefined)).toBeNull()
    for (const schema of [undefined, null, {}, 'x', { body: true }, []])
      expect(marksOf(schema, () => undefined)).toBeNull()
  })

  it('are found wherever a schema holds another', () => {
    const deep = (name: string) => ({ properties: { [name]: MARK } })
    const body = {
      properties: { list: { items: deep('a') }, tuple: { prefixItems: [deep('b')] }, old: { items: [deep('c')] } },
      patternProperties: { '^x': deep('d') },
      additionalProperties: deep('e'),
      allOf: [deep('f')],
      anyOf: [{ oneOf: [deep('g')] }],
      not: deep('h'),
      if: deep('i'),
      ...Object.fromEntries([['then', deep('j')]]),
      else: deep('k'),
      dependentSchemas: { list: deep('l') },
      dependencies: { list: ['tuple'], old: deep('m') },
      $defs: { unused: deep('n') },
      definitions: { unused: deep('o') },
      contentSchema: deep('p'),
    }
    expect(marks(body)).toEqual([...'abcdefghijklmnop'])
  })

  it('are those of every status and media type', () => {
    const json = (schema: object) => ({ content: { 'application/json': { schema }, 'text/x': { schema: {} } } })
    const deep = (name: string) => ({ properties: { [name]: MARK } })
    const schema = { body: json(deep('a')), response: { 200: deep('b'), '4xx': json(deep('c')), default: deep('d') } }
    expect([...(marksOf(schema, () => undefined) ?? [])].sort()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('of elements, alternatives and unnamed members are those of the property that holds them', () => {
    const body = {
      properties: {
        list: { items: { items: MARK } },
        either: { anyOf: [{ type: 'null' }, MARK] },
        map: { additionalProperties: MARK },
        byPattern: { patternProperties: { '^x': MARK } },
      },
    }
    expect(marks(body)).toEqual(['bypattern', 'either', 'list', 'map'])
  })

  it('are followed through references, each to every property that uses it', () => {
    const body = {
      $id: 'http://example.com/root',
      properties: {
        one: { $ref: '#/definitions/Secret' },
        two: { $ref: '#/definitions/a~1b%20c' },
        three: { $ref: '#named' },
        four: { $ref: 'shared#/properties/inner' },
        five: { $ref: 'shared' },
        six: { $ref: 'other.json#' },
        seven: { $ref: 'http://example.com/root#/definitions/Secret' },
        eight: { $ref: 'embedded#/definitions/Own' },
        nine: { $ref: 'nowhere#/x' },
        ten: { $ref: '#/definitions/%zz' },
        self: { $ref: '#' },
      },
      definitions: {
        Secret: MARK,
        'a/b c': MARK,
        Named: { $id: '#named', ...MARK },
        Embedded: {
          $id: 'embedded',
          definitions: { Own: MARK },
          properties: { eleven: { $ref: '#/definitions/Own' } },
        },
      },
    }
    const shared = { $id: 'shared', properties: { inner: { $ref: '#/properties/last' }, last: MARK } }
    const other = { $id: 'http://example.com/other.json', ...MARK }
    expect(marks(body, { shared, [other.$id]: other })).toEqual([
      ...['eight', 'eleven', 'four', 'inner', 'last', 'one', 'seven', 'six', 'three', 'two'],
    ])
  })

  it('are not found in values that only look like marks', () => {
    const body = {
      properties: { audit: { type: 'string' }, 'x-audit': { type: 'string', default: 'redact' } },
      default: { properties: { a: MARK } },
      const: { properties: { a: MARK } },
      enum: [{ properties: { a: MARK } }],
      examples: [{ properties: { a: MARK } }],
      'x-other': { properties: { a: MARK } },
    }
    expect([marks(body), schemaMarkProblem({ body })]).toEqual([[], undefined])
  })

  it('are searched for only in plain objects', () => {
    const hostile = new Proxy({}, { get: boom, ownKeys: boom, getOwnPropertyDescriptor: boom, getPrototypeOf: boom })
    const accessor = Object.defineProperty({}, 'properties', { get: boom, enumerable: true })
    for (const body of [
      z.object({ a: z.string() }),
      hostile,
      accessor,
      { properties: hostile },
      { allOf: hostile },
      [MARK],
    ]) {
      expect([marks(body), schemaMarkProblem({ body })]).toEqual([[], undefined])
    }
  })

  it('end in a schema that holds itself', () => {
    const body: { properties: Record<string, unknown>; items?: unknown } = { properties: { a: MARK } }
    body.properties.self = body
    body.items = body
    expect(marks(body)).toEqual(['a'])
  })
})

describe('a mark that has no effect', () => {
  it('is a mistake, which says what to write', () => {
    const cases: Array<[unknown, string]> = [
      [
        { body: { properties: { a: { audit: true } } } },
        "'audit' at body/properties/a is true. Write 'redact', or leave it out.",
      ],
      [
        { response: { 200: { items: { 'x-audit': 'omit' } } } },
        "'x-audit' at response/200/items is \"omit\". Write 'redact', or leave it out.",
      ],
      [
        { querystring: { properties: { q: MARK } } },
        '\'x-audit\' at querystring/properties/q has no effect: marks are for bodies. Name the key in the option `redact: { keys: ["q"] }`.',
      ],
      [
        { body: { items: MARK } },
        "'x-audit' at body/items marks no property. Mark properties by name; a whole body is left out by `config: { audit: { level: 'metadata' } }`.",
      ],
    ]
    for (const [schema, expected] of cases) expect(schemaMarkProblem(schema)).toBe(expected)
    expect(
      schemaMarkProblem({
        body: { definitions: { Secret: MARK }, properties: { a: { $ref: '#/definitions/Secret' } } },
      }),
    ).toBeUndefined()
  })
})

describe('a field that is marked', () => {
  const schema = (mark: object) => ({
    body: { type: 'object', properties: { nickname: { type: 'string', ...mark } } },
    response: {
      200: { type: 'object', properties: { motto: { type: 'string', ...mark } }, additionalProperties: true },
    },
  })
  const xAudit = { 'x-audit': 'redact' }

  async function outcome(factory: FastifyServerOptions, routeSchema: object): Promise<string> {
    const app = Fastify(factory)
    app.post('/', { schema: routeSchema }, async () => ({ motto: 'x' }))
    try {
      await app.ready()
      return (await app.inject({ method: 'POST', url: '/', payload: { nickname: 'x' } })).body
    } catch (error) {
      return String(error)
    } finally {
      await app.close()
    }
  }

  it('is taken as it is in a reply, and in a body once the validator knows the keyword', async () => {
    for (const mark of [xAudit, { audit: 'redact' }]) {
      const keyword = Object.keys(mark)[0] ?? ''
      expect(await outcome({}, schema(mark))).toContain(`strict mode: unknown keyword: "${keyword}"`)
      expect(await outcome({}, { response: schema(mark).response })).toBe('{"motto":"x"}')
      for (const ajv of [{ customOptions: { keywords: [keyword] } }, { customOptions: { strict: false } }]) {
        expect(await outcome({ ajv }, schema(mark))).toBe('{"motto":"x"}')
      }
    }
  })

  it('is redacted in the bodies of its route, wherever it stands there, and in no other', async () => {
    const { app, sink } = await audited({
      factory: { ajv: { customOptions: { keywords: ['x-audit'] } } },
      options: { level: 'response' },
    })
    app.addSchema({ $id: 'person', type: 'object', properties: { petName: { type: 'string', ...xAudit } } })
    const { body, response } = schema(xAudit)
    const shared = { ...body, properties: { ...body.properties, friend: { $ref: 'person#' } } }
    const handler = async (request: { body: unknown }) => ({ motto: 'seen', inner: request.body })
    app.post('/marked', { schema: { body: shared, response } }, handler)
    app.post('/plain', handler)
    const payload = { nickname: 'Ada', other: [{ Nick_Name: 'Ada', motto: 'x' }], friend: { petName: 'Rex' } }
    for (const url of ['/marked', '/plain']) {
      const reply = await app.inject({ method: 'POST', url, payload })
      expect(reply.json()).toEqual({ motto: 'seen', inner: payload })
    }
    const [marked, plain] = ['/marked', '/plain'].map(
      (url) =>
        sink.events.filter(
          (event) => event.payload.stage === 'OperationComplete' && event.payload.request.endpoint === url,
        )[0]?.payload,
    )
    const redacted = {
      nickname: '[REDACTED]',
      other: [{ Nick_Name: '[REDACTED]', motto: '[REDACTED]' }],
      friend: { petName: '[REDACTED]' },
    }
    expect(marked?.request.body).toEqual(redacted)
    expect(marked?.response?.body).toEqual({ motto: '[REDACTED]', inner: redacted })
    expect(marked?.redacted).toBe(9)
    expect(plain?.request.body).toEqual(payload)
  })

  it('is unknown while its schema cannot be looked up: the bodies are left out, and the log says so once', async () => {
    let isThere = false
    const getSchema = (id: string) => (isThere ? { $id: id, properties: { petName: xAudit } } : boom())
    const { app, sink, logged } = await audited({
      factory: {
        schemaController: { bucket: () => ({ add: () => app, getSchemas: () => ({}), getSchema }) },
      },
      options: { level: 'response' },
    })
    const validatorCompiler = () => () => true
    app.post('/pets', { schema: { body: { $ref: 'pet#' } }, validatorCompiler }, async () => ({ petName: 'Rex' }))
    app.post('/plain', { schema: { body: { type: 'object' } } }, async () => ({ petName: 'Rex' }))
    const ask = async (url: string) => {
      await app.inject({ method: 'POST', url, payload: { petName: 'Rex' } })
      const { request, response, omitted } = sink.events.at(-1)?.payload ?? {}
      return { request: request?.body, response: response?.body, omitted }
    }
    const unknown = ['request.body', 'response.body'].map((path) => ({ path, reason: 'schema unknown' }))
    for (let times = 0; times < 2; times++) expect(await ask('/pets')).toEqual({ omitted: unknown })
    expect(await ask('/plain')).toEqual({ request: { petName: 'Rex' }, response: { petName: 'Rex' } })
    expect(logged.filter(({ err }) => err !== undefined)).toEqual([
      expect.objectContaining({ route: '/pets', msg: expect.stringContaining('are left out of the audit trail') }),
    ])
    isThere = true
    expect(await ask('/pets')).toEqual({ request: { petName: '[REDACTED]' }, response: { petName: '[REDACTED]' } })
  })

  it('with another value stops the boot', async () => {
    const { app } = await audited({ factory: { ajv: { customOptions: { keywords: ['x-audit'] } } } })
    const post = () => app.post('/', { schema: schema({ 'x-audit': 'hide' }) }, async () => 'x')
    expect(post).toThrow(/the schema of route \/: 'x-audit' at body\/properties\/nickname is "hide"\. Write 'redact'/)
  })
})

function boom(): never {
  throw new Error('called')
}
