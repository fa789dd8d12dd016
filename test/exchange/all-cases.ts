import type { Case } from './case.js'
import { ERROR_CASES } from './cases-errors.js'
import { HOOK_CASES } from './cases-hooks.js'
import { PLAIN_CASES } from './cases-plain.js'
import { RAW_CASES } from './cases-raw.js'
import { STREAM_CASES } from './cases-streams.js'

export const ALL_CASES: readonly Case[] = [...PLAIN_CASES, ...ERROR_CASES, ...HOOK_CASES, ...STREAM_CASES, ...RAW_CASES]
