import { expect, it } from 'vitest'
import { customFormat } from '../../src/event/draft.js'
import { draft } from '../support/lane.js'

it("makes one line of what a user's format returns, with no NUL, which is how a torn line is known", () => {
  const format = customFormat(({ payload }) => `${payload.type}\r\n\n\0end\n`)
  expect(format(draft(',"payload":{"type":"audit"}}'), 1)).toBe('audit  end ')
})
