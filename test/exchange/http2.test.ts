import { KNOWS } from '../support/fastify.js'
import { ALL_CASES } from './all-cases.js'
import { matrix } from './matrix.js'
import { MAIN_STATES } from './oracle.js'
import { HTTP2 } from './runner.js'

matrix(
  ALL_CASES.filter(({ name, except }) => except !== 'HTTP/2' && (KNOWS.streamTrailers || !name.startsWith('trailers'))),
  HTTP2,
  MAIN_STATES,
)
