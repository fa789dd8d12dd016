import { expect, it } from 'vitest'
import { heldByBodies } from '../support/process/bodies.js'

const MIB = 2 ** 20
const CAP = 64 * 1024

it('holds a bounded part of 200 bodies of 10 MB', async () => {
  const [count, bytes] = [200, 10_000_000]
  const [metadata, response] = await Promise.all([
    heldByBodies(count, bytes, 'metadata'),
    heldByBodies(count, bytes, 'response'),
  ])
  expect(metadata).toBeGreaterThan(count * bytes)
  // Something is held of each: the measure itself works.
  expect(response - metadata).toBeGreaterThan(count * CAP)
  expect(response - metadata).toBeLessThan(CAP * count * 3 + 32 * MIB)
})
