/** How a server that a test makes differs from the one it asked for. */
export const MODES = {
  plain: 'as it is',
  waiting: 'with hooks that only wait, as those of any plugin that stores something may',
  'waiting longer': 'with such hooks, of which two wait for 2 ms',
  'audited at once': 'with the audit, whose sink answers at once',
  'audited later': 'with the audit, whose sink answers after 2 ms',
} as const

export type Mode = keyof typeof MODES

export const AUDITED = ['audited at once', 'audited later'] as const satisfies readonly Mode[]

/** The hooks that wait as the audit of a mode does, before the handler. */
export const BASELINES = { 'audited at once': 'waiting', 'audited later': 'waiting longer' } as const

/** The environment variable that tells a test process its mode. */
export const MODE_VARIABLE = 'AUDIT_COMPAT_MODE'
