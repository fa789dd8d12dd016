import { describe, expect, it } from 'vitest'
import { safeLogger } from '../../src/runtime/safe-log.js'

describe('a logger that throws', () => {
  it('is told the message of an error that it cannot log', () => {
    const lines: unknown[] = []
    const log = (details: object, message: string): void => {
      if ('err' in details) throw new Error('a serializer that fails')
      lines.push([details, message])
    }
    const safe = safeLogger({ info: log, warn: log, error: log })
    for (const level of ['info', 'warn', 'error'] as const) safe[level]({ err: new Error(level), sink: 'a' }, 'failed')
    safe.warn({ sink: 'a' }, 'as it is')
    expect(lines).toEqual([
      [{ reason: 'info' }, 'failed'],
      [{ reason: 'warn' }, 'failed'],
      [{ reason: 'error' }, 'failed'],
      [{ sink: 'a' }, 'as it is'],
    ])
  })

  it('causes no exception if it cannot log anything', () => {
    const fail = (): never => {
      throw new Error('a logger that fails')
    }
    const safe = safeLogger({ info: fail, warn: fail, error: fail })
    safe.error({ err: Object.create(null) }, 'failed')
    safe.info({}, 'failed')
  })
})
