import type { FastifyReply } from 'fastify'
import { describe } from './values.js'

/**
 * Properties of a reply to compare. Not asked: `writableLength` and `writableFinished`, which tell how far the bytes have
 * come, and they are held; `writableCorked`, which is the connection's while there is one.
 */
const QUESTIONS = [
  'headersSent',
  'writableEnded',
  'finished',
  'destroyed',
  'writableCorked',
  'statusCode',
  'statusMessage',
]

/** Everything that a reply can be asked, as one line. */
export function ask(reply: FastifyReply): string {
  const { raw } = reply
  // An ended reply is destroyed when its last byte was handed over, which is later if it is held.
  const questions = raw.writableEnded ? QUESTIONS.filter((name) => name !== 'destroyed') : QUESTIONS
  const answers = questions.map((name) => `${name} ${describe(Reflect.get(raw, name))}`)
  answers.push(
    `_header ${Boolean(Reflect.get(raw, '_header'))}`,
    `writableNeedDrain ${describe(Reflect.get(raw, 'writableNeedDrain'))}`,
    `sent ${reply.sent}`,
    `reply.statusCode ${reply.statusCode}`,
    `getHeaders ${attempt(() => raw.getHeaders())}`,
    `getHeaderNames ${attempt(() => raw.getHeaderNames())}`,
    `getHeader ${attempt(() => raw.getHeader('x-a'))}`,
    `hasHeader ${attempt(() => raw.hasHeader('content-length'))}`,
    `reply.getHeaders ${attempt(() => reply.getHeaders())}`,
    `reply.hasHeader ${attempt(() => reply.hasHeader('x-a'))}`,
  )
  return answers.join(', ')
}

function attempt(question: () => unknown): string {
  try {
    return describe(question())
  } catch (error) {
    return `threw ${describe(error)}`
  }
}
