import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { classNameOf, isPlainObject, isStream, ownValue } from '../../src/redact/safe-inspect.js'

it('a stream of any kind is told from data, whatever the data holds', () => {
  const streams = [Readable.from([]), new ReadableStream(), new Response('x'), new Blob([]), new Request('http://x')]
  for (const stream of streams) expect(isStream(stream), classNameOf(stream)).toBe(true)
  const accessor = Object.defineProperty({}, 'pipe', { get: boom })
  for (const value of [
    { pipe: 'x' },
    { getReader: {} },
    [],
    new Map(),
    accessor,
    Object.create(new Proxy({}, { get: boom })),
  ]) {
    expect(isStream(value)).toBe(false)
  }
})

it('an object is plain if its prototypes add nothing', () => {
  class Order {}
  for (const value of [{}, Object.create(null), Object.create(Object.create(null))])
    expect(isPlainObject(value)).toBe(true)
  for (const value of [new Order(), new Map(), [], Object.create({}), new Date()])
    expect(isPlainObject(value)).toBe(false)
})

it('a property is read as its stored value, and no getter is called', () => {
  expect(ownValue({ a: 1 }, 'a')).toBe(1)
  expect(ownValue([1], 0)).toBe(1)
  expect(ownValue({}, 'toString')).toBeUndefined()
  expect(ownValue(Object.defineProperty({}, 'a', { get: boom }), 'a')).toBeTypeOf('symbol')
})

function boom(): never {
  throw new Error('called')
}
