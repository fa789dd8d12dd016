import { ALL_CASES } from './all-cases.js'
import { matrix } from './matrix.js'
import { MAIN_STATES } from './oracle.js'
import { HTTP1 } from './runner.js'

// Received waits for a body that is recorded; nothing else about an exchange differs.
const capture = { requestHeaders: ['content-type', 'accept'], responseHeaders: ['content-type', 'set-cookie', 'etag'] }

matrix(ALL_CASES, { ...HTTP1, options: { level: 'response', capture } }, MAIN_STATES)
