import type { z } from 'zod'
import { AuditInvalidSettings } from '../../errors.js'
import { describeMistakes, mistakesOf } from '../mistakes.js'

/** Throws with every mistake, if there is one: one a line in the message, and as `mistakes`. */
export function refuseMistakes(whose: string, issues: readonly z.core.$ZodIssue[], input: object): void {
  if (issues.length === 0) return
  const mistakes = mistakesOf(issues, input)
  throw Object.assign(new AuditInvalidSettings(whose, describeMistakes(mistakes)), { mistakes })
}
