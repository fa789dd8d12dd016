import { ALL_CASES } from './all-cases.js'
import { matrix } from './matrix.js'
import { MAIN_STATES } from './oracle.js'
import { INJECT } from './runner.js'

matrix(
  ALL_CASES.filter(({ except }) => except !== 'inject'),
  INJECT,
  MAIN_STATES,
)
