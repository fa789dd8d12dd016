import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { LEVEL_NAMES } from '../../event/level.js'
import type { AuditOptions } from '../plugin-options.js'
import { filePathProblem } from '../problems.js'
import { closest } from '../suggest.js'
import { expected, says } from '../values.js'
import { problemAt } from './blocks.js'
import { refuseMistakes } from './refuse.js'

const FILE_NAME = 'rancher-api-audit.log'

/** Go's longest duration, 292 years, in days. */
const MAX_DAYS = 106_751

/** Numbers that Go and people read alike: `010` is eight to Go, and `+5` or `1e3` are mostly slips. */
const WHOLE_NUMBER = /^(?:0|[1-9]\d{0,8})$/

const ENABLED_PROBLEM =
  'is a setting of Rancher 2.12 and later, whose levels mean something else (0 metadata, 1 headers too, 2 request ' +
  'bodies too, 3 response bodies too); unset it, and set AUDIT_LEVEL as before 2.12: 0 off, 1 metadata, 2 request ' +
  'bodies too, 3 response bodies too'

const variables = {
  AUDIT_LEVEL: variable('1', levelProblem).default('0'),
  AUDIT_LOG_PATH: variable('/var/log/auditlog/', pathProblem).default(`/var/log/auditlog/${FILE_NAME}`),
  AUDIT_LOG_MAXAGE: variable('10', ageProblem).default('10'),
  AUDIT_LOG_MAXBACKUP: variable('10', backupProblem).default('10'),
  AUDIT_LOG_MAXSIZE: variable('100', sizeProblem).default('100'),
  AUDIT_LOG_ENABLED: z.undefined({ error: ENABLED_PROBLEM }).optional(),
}

const environment = z.object(variables, { error: 'is not an environment; hand in `process.env`' })

/**
 * The options that the environment variables of Rancher's API audit log stand for, as they were until Rancher 2.11:
 * `AUDIT_LEVEL` (absent: 0, off), `AUDIT_LOG_PATH`, `AUDIT_LOG_MAXAGE`, `AUDIT_LOG_MAXBACKUP` and `AUDIT_LOG_MAXSIZE`.
 *
 * @throws `FST_AUDIT_INVALID_SETTINGS` with every value that cannot be honoured, and what to write instead.
 *
 * @example
 * ```ts
 * import Fastify from 'fastify'
 * import audit, { optionsFromRancherEnv } from 'fastify-audit-log'
 *
 * const app = Fastify()
 * await app.register(audit, optionsFromRancherEnv(process.env))
 * ```
 */
export function optionsFromRancherEnv(env: Readonly<Record<string, string | undefined>>): AuditOptions {
  const { data, error } = environment.safeParse(env)
  refuseMistakes("Rancher's audit log", [...(error?.issues ?? []), ...misspelt(env)], env)
  if (data === undefined || data.AUDIT_LEVEL === '0') return { enabled: false }
  return {
    level: LEVEL_NAMES[Number(data.AUDIT_LEVEL)],
    sinks: [
      {
        name: 'audit',
        type: 'file',
        format: 'rancher',
        path: fileOf(data.AUDIT_LOG_PATH),
        rotateBytes: toSize(data.AUDIT_LOG_MAXSIZE),
        // Rancher rotates by size alone.
        rotateDuration: 0,
        rotateMaxFiles: Number(data.AUDIT_LOG_MAXBACKUP),
        rotateMaxAge: data.AUDIT_LOG_MAXAGE === '0' ? 0 : `${Number(data.AUDIT_LOG_MAXAGE) * 24}h`,
      },
    ],
  }
}

function variable(example: string, problem: (text: string) => string | undefined) {
  return z
    .string(expected('a string', `write it as in an environment, such as '${example}'`))
    .superRefine(says(problem))
}

/** Names that are nearly a setting's. Others are let be: Kubernetes makes variables of services' names. */
function misspelt(env: unknown): z.core.$ZodIssue[] {
  const known = Object.keys(variables)
  return Object.keys(env ?? {}).flatMap((name) => {
    if (!/^audit/i.test(name) || known.includes(name)) return []
    const meant = closest(name, known)
    return meant === undefined ? [] : [problemAt([name], `is not a setting of Rancher; did you mean \`${meant}\`?`)]
  })
}

function levelProblem(level: string): string | undefined {
  if (level === '') return 'is empty; unset it for no audit log, or write 1, 2 or 3'
  return /^[0-3]$/.test(level) ? undefined : 'is not a level; write 0 (off), 1, 2 or 3'
}

function pathProblem(path: string): string | undefined {
  // Rancher then has no audit log at all, whatever the level, and says nothing.
  if (path === '') return 'is empty, and with it Rancher records nothing; unset it for the default, or write a path'
  if (path !== path.trim()) return 'begins or ends with a space; leave the space out'
  return filePathProblem(fileOf(path))
}

function ageProblem(days: string): string | undefined {
  const remedy = 'write the days that old files are kept, such as 10, or 0 to keep them for ever'
  const problem = numberProblem(days, remedy)
  return problem === undefined && Number(days) > MAX_DAYS ? `is more than 292 years; ${remedy}` : problem
}

function backupProblem(files: string): string | undefined {
  return numberProblem(files, 'write how many old files are kept, such as 10, or 0 to keep all')
}

function sizeProblem(size: string): string | undefined {
  return numberProblem(withoutUnit(size), 'write the size in MiB, such as 100 or 100M')
}

function numberProblem(text: string, remedy: string): string | undefined {
  if (text === '') return `is empty; unset it for the default, or ${remedy}`
  return WHOLE_NUMBER.test(text)
    ? undefined
    : `is not a whole number in at most nine digits and nothing else; ${remedy}`
}

/** Rancher's own documentation writes the default as `100M`. */
function withoutUnit(size: string): string {
  return size === 'M' ? size : size.replace(/M$/, '')
}

/** Rancher's rotating writer, lumberjack, takes 0 for its default. */
function toSize(size: string): string {
  return `${Number(withoutUnit(size)) || 100}MiB`
}

/** Returns the path of the file: a directory gets Rancher's own file name. */
function fileOf(path: string): string {
  return isDirectory(path) ? join(path, FILE_NAME) : path
}

/**
 * A path that ends as a directory's does, or is one: containers mount a directory there, and writing to it would stop
 * the boot. `/.` exists after a directory alone, and `existsSync` throws nothing.
 */
function isDirectory(path: string): boolean {
  return /(?:^|[\\/])\.{0,2}$/.test(path) || existsSync(`${path}/.`)
}
