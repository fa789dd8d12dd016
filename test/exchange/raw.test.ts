import { RAW_CASES } from './cases-raw.js'
import { matrix } from './matrix.js'
import { HTTP1 } from './runner.js'

matrix(RAW_CASES, HTTP1)
