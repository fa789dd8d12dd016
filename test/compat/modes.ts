/** How a server that a test makes differs from the one it asked for. */
export const MODES = {
  plain: 'as it is',
  waiting: 'with hooks that only wait, as those of any plugin that stores something may',
  'audited at once': 'with the audit, whose sink answers at once',
  'audited later': 'with the audit, whose sink answers after 2 ms',
} as const

export type Mode = keyof typeof MODES

export const AUDITED = ['audited at once', 'audited later'] as const satisfies readonly Mode[]

/** The environment variable that tells a test process its mode. */
export const MODE_VARIABLE = 'AUDIT_COMPAT_MODE'
