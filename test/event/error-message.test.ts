import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { messageInBody, messageOf } from '../../src/event/error-message.js'
import { audited } from '../support/app.js'
import { hostileText } from '../support/hostile.js'

describe('the message of what was thrown', () => {
  it('is its message, or the thing itself as text', () => {
    expect(messageOf(new Error('broken'))).toBe('broken')
    expect(messageOf({ message: 7 })).toBe('7')
    for (const thrown of ['text', 7, null, undefined, true, 7n]) expect(messageOf(thrown)).toBe(String(thrown))
    expect(messageOf(Symbol('x'))).toBe('Symbol(x)')
  })

  it('is a text whatever was thrown, and calls nothing of it', () => {
    const bomb = {
      toString: () => {
        throw new Error('called')
      },
    }
    expect(messageOf(bomb)).toBe('[object Object]')
    expect(messageOf({ message: bomb })).toBe('[object Object]')
    expect(messageOf(Object.create(null))).toBe('[object Object]')
    expect(messageOf({ message: Object.create(null) })).toBe('[object Object]')
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withObjectString: true }), (thrown) => {
        expect(typeof messageOf(thrown)).toBe('string')
      }),
    )
  })

  it('is said to be unreadable where its getters or traps throw', () => {
    const fail = (): never => {
      throw new Error('called')
    }
    const unreadable = 'an error whose message cannot be read'
    expect(messageOf(Object.defineProperty(new Error(), 'message', { get: fail }))).toBe(unreadable)
    expect(messageOf(new Proxy(new Error(), { has: fail }))).toBe(unreadable)
    expect(messageOf(Object.defineProperty({}, Symbol.toStringTag, { get: fail }))).toBe(unreadable)
    expect(messageInBody(Object.defineProperty(Buffer.from('no'), 'byteLength', { get: fail }))).toBeUndefined()
  })

  it('is recorded, and fails nothing more, when a handler throws what has no text', async () => {
    const { app, sink } = await audited()
    app.get('/', async () => {
      throw Object.create(null)
    })
    const { statusCode } = await app.inject('/')
    expect(statusCode).toBe(500)
    expect(sink.events.at(-1)?.payload.response).toMatchObject({ status_code: 500, error: '[object Object]' })
  })
})

describe('the message in the body of an error reply', () => {
  it('is what its JSON says, or the whole of a short text', () => {
    const bodies: Array<[unknown, string | undefined]> = [
      ['Permission denied', 'Permission denied'],
      [Buffer.from('Permission denied'), 'Permission denied'],
      ['{"message":"a","error":"b"}', 'a'],
      ['{"title":"c","detail":"d"}', 'd'],
      ['{"error":"b"}', 'b'],
      ['{"error":{"message":"deep"}}', 'deep'],
      ['{"message":7}', undefined],
      ['{"errors":[]}', undefined],
      ['{broken', undefined],
      ['<html>', undefined],
      ['[1]', undefined],
      ['', undefined],
      [undefined, undefined],
      [null, undefined],
      [7, undefined],
      [Buffer.from([0x1f, 0x8b, 0xff, 0]), undefined],
      ['x'.repeat(20_000), undefined],
      [Buffer.alloc(20_000, 'x'), undefined],
    ]
    for (const [body, message] of bodies) expect(messageInBody(body), String(body).slice(0, 40)).toBe(message)
  })

  it('is found in any body without a failure', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          hostileText,
          hostileText.map((text) => JSON.stringify({ message: text })),
          fc.uint8Array(),
        ),
        (body) => {
          expect(['string', 'undefined']).toContain(typeof messageInBody(body))
        },
      ),
    )
  })
})
