import { describe, expect, it } from 'vitest'
import { RedactedJson } from '../../src/redact/redacted-json.js'
import { normalKey, type Redactor } from '../../src/redact/redactor.js'
import { NAME_KEYS, VALUE_KEYS } from '../../src/redact/shapes.js'
import { newChanges } from '../support/changes.js'
import { harmlessKeys, secretKeys } from '../support/keys.js'
import { read } from '../support/markdown.js'
import { redactorOf, redactUrl } from '../support/secrets.js'

const NEEDLE = 'hunter2xyzzy'

/** The shapes in which a name stands beside its value. */
const SHAPES: Record<string, (name: string, value: unknown) => unknown> = {
  'JSON Patch': (name, value) => [{ op: 'replace', path: `/user/0/${pointer(name)}`, value }],
  'JSON Patch, below the name': (name, value) => ({ op: 'add', path: `/${pointer(name)}/-`, value }),
  'environment of Kubernetes': (name, value) => ({
    env: [
      { name: 'A', value: 'b' },
      { name, value },
    ],
  }),
  'value before its name': (name, value) => ({ value, name }),
  'header of HAR': (name, value) => ({ headers: [{ name, value, comment: '' }] }),
  'tag of AWS': (name, value) => ({ Tags: [{ Key: name, Value: value }] }),
  'parameter of CloudFormation': (name, value) => ({ ParameterKey: name, ParameterValue: value }),
  'attribute of OpenTelemetry': (name, value) => ({ key: name, value: { stringValue: value } }),
  'parameter of FHIR': (name, value) => ({ name, valueString: value }),
  SCIM: (name, value) => ({ Operations: [{ op: 'replace', path: name, value }] }),
  'SCIM, with its schema': (name, value) => ({
    Operations: [{ op: 'add', path: `urn:ietf:params:scim:schemas:core:2.0:User:${name}`, value: [{ value }] }],
  }),
  'diff by field': (name, value) => ({ field: name, from: value, to: value }),
  'diff by property': (name, value) => ({ property: name, oldValue: value, newValue: value }),
  'diff by path': (name, value) => ({ kind: 'E', path: ['user', name], lhs: value, rhs: value }),
  'diff before and after': (name, value) => ({ attribute: name, before: value, after: { value } }),
  'validation error': (name, value) => ({ type: 'field', msg: 'too short', path: name, value, location: 'body' }),
  'error of Ajv': (name, value) => ({ instancePath: `/${pointer(name)}`, data: value }),
  'field of a form': (name, value) => ({ id: 7, label: name, answer: value }),
  'flag of a command': (name, value) => ['run', `--${name}`, value, 'file'],
  pair: (name, value) => [name, value],
  entries: (name, value) => [
    ['page', 1],
    [name, value],
  ],
  'raw headers': (name, value) => ['Host', 'example.org', name, value],
}

/** The places where a shape may stand. */
const NESTINGS: Record<string, (value: unknown) => unknown> = {
  itself: (value) => value,
  'in objects and lists': (value) => ({ a: [{ b: [[value]] }] }),
  'in a string': (value) => ({ a: JSON.stringify(value) }),
  'in two strings': (value) => [JSON.stringify({ b: JSON.stringify([value], null, 2) })],
}

function write(value: unknown, redactor?: Redactor, marks: string[] = []): string {
  return new RedactedJson(65_536, newChanges(redactor), new Set(marks)).write(value)
}

function pointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** Names each shape, nesting and key whose output `isWrong`. */
function wrongIn(keys: readonly string[], value: unknown, isWrong: (written: string, whole: unknown) => boolean) {
  const wrong: string[] = []
  for (const [shape, make] of Object.entries(SHAPES)) {
    for (const [nesting, nest] of Object.entries(NESTINGS)) {
      for (const key of keys) {
        const whole = nest(make(key, value))
        if (isWrong(write(whole), whole)) wrong.push(`${shape}, ${nesting}: ${key}`)
      }
    }
  }
  return wrong
}

describe('a name beside a value', () => {
  it('acts as its key: no value with a secret name is written, whatever the shape and wherever it stands', () => {
    const keys = secretKeys.filter((key) => redactorOf().secrecyOf(key) > 0)
    expect(wrongIn(keys, NEEDLE, (written) => written.includes(NEEDLE))).toEqual([])
    expect(wrongIn(['password'], [{ deep: NEEDLE }], (written) => written.includes(NEEDLE))).toEqual([])
  })

  it('has its value kept when it is not secret', () => {
    const keys = harmlessKeys.filter((key) => redactorOf().secrecyOf(key) === 0)
    expect(wrongIn(keys, 'plain text', (written, whole) => written !== JSON.stringify(whole))).toEqual([])
    for (const shape of [
      'JSON Patch',
      'environment of Kubernetes',
      'SCIM',
      'diff by field',
      'flag of a command',
      'pair',
    ]) {
      const whole = SHAPES[shape]?.('token', true)
      expect(write(whole)).toBe(JSON.stringify(whole))
      expect(write([JSON.stringify(whole)])).toBe(JSON.stringify([JSON.stringify(whole)]))
    }
  })

  it('is one of the options or of a mark, too, and then its booleans are secret', () => {
    for (const make of Object.values(SHAPES)) {
      for (const nest of Object.values(NESTINGS)) {
        const [text, flag] = [nest(make('Tax-Id', NEEDLE)), nest(make('Tax-Id', 'true'))]
        expect(write(text)).toContain(NEEDLE)
        expect(write(text, redactorOf({ keys: ['taxId'] }))).not.toContain(NEEDLE)
        expect(write(text, undefined, [normalKey('tax_id')])).not.toContain(NEEDLE)
        expect(write(flag, redactorOf({ keys: ['taxId'] }))).not.toContain('true')
      }
    }
  })

  it('is told by any two members of the tables, which docs/redaction.md has', () => {
    for (const name of NAME_KEYS) {
      for (const value of VALUE_KEYS) {
        for (const whole of [
          { [name]: 'db_password', [value]: NEEDLE },
          { [value]: NEEDLE, [name]: 'db_password' },
        ]) {
          expect(write(whole), `${name}, ${value}`).not.toContain(NEEDLE)
          expect(write([JSON.stringify(whole)]), `${name}, ${value}`).not.toContain(NEEDLE)
        }
      }
    }
    const page = read('docs/redaction.md')
    expect(page).toContain(`| names | ${NAME_KEYS.map((key) => `\`${key}\``).join(', ')} |`)
    expect(page).toContain(`| values | ${VALUE_KEYS.map((key) => `\`${key}\``).join(', ')} |`)
  })

  it('hides nothing else', () => {
    const patch = { op: 'replace', path: '/password', value: 'x' }
    expect(JSON.parse(write([patch, { ...patch, path: '/name' }]))).toEqual([
      { ...patch, value: '[REDACTED]' },
      { ...patch, path: '/name' },
    ])
    const env = { name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }
    expect(JSON.parse(write(env))).toEqual(env)
    expect(write(['--password-file', 'a', '--token', 'b', 'c'])).toBe(
      '["--password-file","a","--token","[REDACTED]","c"]',
    )
    expect(write(['password', 'b', 'c'])).toBe('["password","b","c"]')
    expect(write(JSON.stringify(['password', '--token', 'c']))).toContain('\\"--token\\",\\"[REDACTED]')
  })

  it('is read without a call of anything of the application', () => {
    const boom = () => {
      throw new Error('called')
    }
    const list = new Proxy([], { get: boom, getOwnPropertyDescriptor: boom })
    const name = Object.defineProperty({ value: NEEDLE }, 'name', { get: boom, enumerable: true })
    expect(write([{ path: list, value: 1 }, name])).toContain('[getter]')
  })
})

describe('a name beside a value in running text', () => {
  it.each([
    (name: string, value: string) => `refused: ${JSON.stringify([{ name, value }])}`,
    (name: string, value: string) =>
      `refused: ${JSON.stringify(JSON.stringify({ op: 'replace', path: `/${name}`, value }))}`,
    (name: string, value: string) => `env:\n  - name: ${name}\n    value: "${value}"\n  - name: PORT\n    value: "80"`,
    (name: string, value: string) => `{ field: '${name}', from: '${value}', to: '${value}' }`,
    (name: string, value: string) => `set name=${name} value=${value} page=1`,
  ])('is its key', (write) => {
    const changes = newChanges()
    const text = (name: string) => changes.redactor.text(write(name, NEEDLE), 'response.error', changes)
    const value = (name: string) => changes.redactor.value(write(name, NEEDLE), changes)
    for (const name of ['DB_PASSWORD', 'password', 'apiKey']) {
      expect(text(name)).not.toContain(NEEDLE)
      expect(value(name)).not.toContain(NEEDLE)
    }
    for (const name of ['hasPassword', 'DB_HOST']) expect(text(name)).toBe(write(name, NEEDLE))
  })
})

describe('a name beside a value in a query', () => {
  it('acts as its key, in any order', () => {
    const clean = (url: string) => redactUrl(url).text
    expect(clean('/set?name=DB_PASSWORD&value=x&page=1')).toBe('/set?name=DB_PASSWORD&value=[REDACTED]&page=1')
    expect(clean('/set?value=a%20b&Key=%2Fuser%2Fpassword')).toBe('/set?value=[REDACTED]&Key=%2Fuser%2Fpassword')
    for (const url of ['/set?name=limit&value=20', '/jobs?from=1&to=2', '/set?value=password'])
      expect(clean(url)).toBe(url)
  })

  it('has its value kept when it is not secret, and redacted when it is', () => {
    for (const [keys, isKept] of [
      [harmlessKeys.filter((key) => redactorOf().secrecyOf(key) === 0), true],
      [secretKeys.filter((key) => redactorOf().secrecyOf(key) > 0), false],
    ] as const) {
      const wrong = keys.filter((key) => redactUrl(`/set?key=${key}&val=${NEEDLE}`).text.includes(NEEDLE) !== isKept)
      expect(wrong).toEqual([])
    }
  })
})

describe("Kubernetes' Secrets", () => {
  it('have their data redacted, in any order, and other objects have not', () => {
    const data = { 'app.conf': NEEDLE, user: NEEDLE }
    for (const secret of [
      { apiVersion: 'v1', kind: 'Secret', data },
      { stringData: data, kind: 'Secret' },
      { kind: 'List', items: [{ data, kind: 'Secret', stringData: data }] },
    ]) {
      for (const nest of Object.values(NESTINGS)) expect(write(nest(secret))).not.toContain(NEEDLE)
    }
    expect(write({ kind: 'ConfigMap', data })).toContain(NEEDLE)
  })
})

describe('a variable of GraphQL', () => {
  it('is secret when it is given to an argument that is', () => {
    const query =
      'mutation M($u: String!, $p: String!, $x: In) { login(user: $u, password : $p) change(input: {pin:$x}) { ok } }'
    const variables = { u: 'ada', p: NEEDLE, x: { a: NEEDLE }, y: 1 }
    for (const body of [{ query, variables }, [{ variables, query, operationName: 'M' }]]) {
      const written = write(body)
      expect(written).not.toContain(NEEDLE)
      expect(written).toContain('"u":"ada","p":"[REDACTED]","x":"[REDACTED]","y":1')
    }
    expect(write({ query: 'query($p: ID) { user(id: $p) { name } }', variables })).toContain(NEEDLE)
  })

  it('is secret as a literal', () => {
    const query = `mutation { login(user: "ada", password: "two ${NEEDLE}") { ok } }`
    expect(write({ query })).not.toContain(NEEDLE)
  })

  it('is found in linear time', () => {
    for (const piece of ['$a', 'a:$a', ':$', 'a', 'password: ', ' ', '$', '\n:$b']) {
      const query = piece.repeat(300_000 / piece.length)
      new RedactedJson(65_536, newChanges()).write({ variables: { a: 1 }, query })
    }
  })
})
