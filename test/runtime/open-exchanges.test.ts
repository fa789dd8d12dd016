import { describe, expect, it, vi } from 'vitest'
import { type OpenExchange, OpenExchanges } from '../../src/runtime/open-exchanges.js'
import { settle, useFakeTimers } from '../support/lane.js'

vi.mock('../../src/clock.js', () => import('../support/current-clock.js'))

/** Exchange that removes itself from the list when it is given up, as a real one does. */
class Stub implements OpenExchange {
  previous: OpenExchange | null = null
  following: OpenExchange | null = null
  goneSince = 0
  isGone = false
  readonly heard: string[] = []

  constructor(private readonly list: OpenExchanges) {
    list.add(this)
  }

  isClientGone(): boolean {
    return this.isGone
  }

  abandon(): void {
    this.heard.push('abandon')
    this.list.remove(this)
  }

  hideEnd(): void {}

  cutOff(): void {
    this.heard.push('cut off')
    this.list.remove(this)
  }
}

function listOf(count: number): { list: OpenExchanges; stubs: Stub[] } {
  const list = new OpenExchanges()
  return { list, stubs: Array.from({ length: count }, () => new Stub(list)) }
}

describe('the list of open exchanges', () => {
  it('holds them in order, whichever leaves first', () => {
    for (const leaving of [0, 1, 2]) {
      const { list, stubs } = listOf(3)
      const left = stubs[leaving]
      if (left === undefined) throw new Error('no such exchange')
      list.remove(left)
      expect([...list]).toEqual(stubs.filter((stub) => stub !== left))
      expect(list.count).toBe(2)
      const added = new Stub(list)
      expect([...list].at(-1)).toBe(added)
    }
  })

  it('gives up those whose client has been gone for long enough', () => {
    const { list, stubs } = listOf(3)
    const [first, second, third] = stubs
    if (!first || !second || !third) throw new Error('no such exchange')
    second.isGone = true
    list.sweep(1000, 500)
    expect(second.heard).toEqual([])
    third.isGone = true
    list.sweep(1499, 500)
    list.sweep(1500, 500)
    expect([first.heard, second.heard, third.heard]).toEqual([[], ['abandon'], []])
    list.sweep(1999, 500)
    expect(third.heard).toEqual(['abandon'])
    expect([...list]).toEqual([first])
  })

  it('waits for no more than 10,000 whose client is gone', () => {
    const { list, stubs } = listOf(10_002)
    for (const stub of stubs) stub.isGone = true
    list.sweep(1, 1_000_000)
    expect(list.count).toBe(10_000)
  })

  it('cuts all of them off', () => {
    const { list, stubs } = listOf(3)
    list.cutOff()
    expect(stubs.map(({ heard }) => heard)).toEqual([['cut off'], ['cut off'], ['cut off']])
    expect(list.count).toBe(0)
  })

  it('says when it is empty, at once, as soon as it is, or when the time is up', async () => {
    useFakeTimers()
    await new OpenExchanges().whenEmpty(1000)
    const { list, stubs } = listOf(2)
    const emptied = vi.fn()
    list.whenEmpty(1000).then(emptied)
    stubs[0]?.abandon()
    await settle(999)
    expect(emptied).not.toHaveBeenCalled()
    stubs[1]?.abandon()
    await settle()
    expect(emptied).toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
    const never = vi.fn()
    listOf(1).list.whenEmpty(1000).then(never)
    await settle(1000)
    expect(never).toHaveBeenCalled()
  })
})
