import { PLAIN_CASES } from './cases-plain.js'
import { matrix } from './matrix.js'
import { HTTP1 } from './runner.js'

matrix(PLAIN_CASES, HTTP1)
