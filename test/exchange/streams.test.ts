import { STREAM_CASES } from './cases-streams.js'
import { matrix } from './matrix.js'
import { HTTP1 } from './runner.js'

matrix(STREAM_CASES, HTTP1)
