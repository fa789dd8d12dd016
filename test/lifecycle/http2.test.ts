import { ALL_CASES } from './all-cases.js'
import { matrix } from './matrix.js'
import { MAIN_STATES } from './oracle.js'
import { HTTP2 } from './runner.js'

matrix(
  ALL_CASES.filter(({ http1Only }) => !http1Only),
  HTTP2,
  MAIN_STATES,
)
