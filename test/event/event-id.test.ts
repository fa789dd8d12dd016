import { expect, it } from 'vitest'
import { newEventId } from '../../src/event/event-id.js'

/** Several times as many as are made at once. */
const MANY = 10_000

it('mints random UUIDs of version 4, none of them twice', () => {
  const ids = Array.from({ length: MANY }, newEventId)
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(new Set(ids).size).toBe(MANY)
})

it('lets every digit but those of version and variant be any', () => {
  const ids = Array.from({ length: MANY }, newEventId)
  const seen = Array.from({ length: 36 }, (_, place) => new Set(ids.map((id) => id[place])).size)
  const expected = seen.map((_, place) => (place === 19 ? 4 : [8, 13, 14, 18, 23].includes(place) ? 1 : 16))
  expect(seen).toEqual(expected)
})
