import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, expect, it, vi } from 'vitest'
import { GroupCommit } from '../../src/delivery/group-commit.js'

vi.mock('../../src/clock.js', () => import('../support/current-clock.js'))

afterEach(() => {
  vi.useRealTimers()
})

/** A lane whose calls note the number of waiting entries, and run the `effects` one after the other. */
function lane(...effects: Array<() => void>) {
  const queue = { length: 0, isAmple: false }
  const calls: number[] = []
  const groupCommit = new GroupCommit(() => {
    calls.push(queue.length)
    queue.length = 0
    effects.shift()?.()
  }, queue)
  const arrive = (count = 1) => {
    for (let number = 0; number < count; number++) {
      queue.length++
      groupCommit.schedule()
    }
  }
  return { queue, calls, groupCommit, arrive }
}

function tick(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}

it('calls the sink once for all entries of a turn of the event loop', async () => {
  const { calls, arrive } = lane()
  arrive(2)
  await tick()
  arrive()
  expect(calls).toEqual([])
  await turn()
  expect(calls).toEqual([3])
  await turn()
  expect(calls).toEqual([3])
})

it('calls it once, in the same turn, for entries that follow from a call, however many promises later', async () => {
  const { calls, arrive } = lane(
    () => {
      Promise.resolve()
        .then(() => undefined)
        .then(() => arrive(2))
    },
    () => arrive(),
  )
  arrive()
  const inSameTurn = new Promise<number[]>((resolve) => setImmediate(() => resolve([...calls])))
  expect(await inSameTurn).toEqual([1, 2])
  await turn()
  expect(calls).toEqual([1, 2, 1])
})

it('leaves entries to the next turn if they would keep a turn from ending', async () => {
  const { calls, arrive } = lane(
    () => arrive(),
    () => arrive(),
  )
  arrive()
  expect(await new Promise((resolve) => setImmediate(() => resolve([...calls])))).toEqual([1, 1])
  await turn()
  expect(calls).toEqual([1, 1, 1])
})

it('stores entries that come after a turn at the end of the next one', async () => {
  const { calls, arrive } = lane()
  arrive()
  await turn()
  await turn()
  arrive()
  await tick()
  expect(calls).toEqual([1])
  await turn()
  expect(calls).toEqual([1, 1])
})

it('does not wait for the end of a turn when 64 wait', async () => {
  const { calls, arrive } = lane()
  arrive(63)
  await tick()
  expect(calls).toEqual([])
  arrive(3)
  await tick()
  expect(calls).toEqual([66])
})

it('lets entries gather while more keep coming, for as long as the last write took', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const { calls, groupCommit, arrive } = lane()
  groupCommit.wrote(4)
  arrive()
  await turn()
  vi.advanceTimersByTime(3)
  arrive()
  await turn()
  arrive()
  expect(calls).toEqual([])
  vi.advanceTimersByTime(1)
  await turn()
  expect(calls).toEqual([3])
})

it('does not wait after a turn that brought no entries', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const { calls, groupCommit, arrive } = lane()
  groupCommit.wrote(10_000)
  arrive(2)
  await turn()
  expect(calls).toEqual([])
  await turn()
  expect(calls).toEqual([2])
})

it('waits for no more when a batch is full', async () => {
  const { queue, calls, groupCommit, arrive } = lane()
  groupCommit.wrote(10_000)
  queue.isAmple = true
  arrive()
  await turn()
  expect(calls).toEqual([1])
})

it('waits for no more than 10 ms', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const { calls, groupCommit, arrive } = lane()
  groupCommit.wrote(10_000)
  vi.advanceTimersByTime(10)
  arrive()
  await turn()
  expect(calls).toEqual([1])
})
