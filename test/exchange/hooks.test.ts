import { HOOK_CASES } from './cases-hooks.js'
import { matrix } from './matrix.js'
import { HTTP1 } from './runner.js'

matrix(HOOK_CASES, HTTP1)
