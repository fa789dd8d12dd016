import { ERROR_CASES } from './cases-errors.js'
import { matrix } from './matrix.js'
import { HTTP1 } from './runner.js'

matrix(ERROR_CASES, HTTP1)
