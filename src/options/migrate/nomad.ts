import { join, resolve } from 'node:path'
import { z } from 'zod'
import { DEFAULT_DATA_DIR, isRecord, MAX_SINKS } from '../combinations.js'
import { describePath } from '../describe.js'
import type { AuditOptions } from '../plugin-options.js'
import { dataDirProblem } from '../problems.js'
import { flag, strict, text } from '../values.js'
import { type Block, blocksAt, onlyOne, problemAt, readAt } from './blocks.js'
import { nomadFilter, nomadSink, sinkNameOf, toFilter, toSink } from './nomad-blocks.js'
import { refuseMistakes } from './refuse.js'

const stanzaSchema = strict(
  'the `audit` stanza',
  { enabled: flag().default(false), sink: z.unknown().optional(), filter: z.unknown().optional() },
  {
    audit: 'hand in what is under it: `optionsFromNomadStanza(config.audit)`',
    data_dir: 'hand it in beside the stanza: `optionsFromNomadStanza(stanza, { dataDir })`',
  },
)

const dataDirSchema = text('a directory', '/opt/nomad/data', dataDirProblem).optional()

/**
 * The options that Nomad's `audit` stanza stands for, given as JSON with its own key names: `sink` and `filter` as
 * objects keyed by name, or as the lists that HCL's JSON makes of blocks. Everything may be absent, as in Nomad:
 * `enabled` is then `false`. `dataDir` is Nomad's `data_dir`, where a sink without a path has its file.
 *
 * @throws `FST_AUDIT_INVALID_SETTINGS` with every value that cannot be honoured, and what to write instead.
 *
 * @example
 * ```ts
 * import Fastify from 'fastify'
 * import audit, { optionsFromNomadStanza } from 'fastify-audit-log'
 *
 * const stanza = {
 *   enabled: true,
 *   sink: { audit: { type: 'file', delivery_guarantee: 'enforced', format: 'json', rotate_duration: '24h' } },
 *   filter: { default: { type: 'HTTPEvent', endpoints: ['/v1/metrics'], stages: ['*'], operations: ['*'] } },
 * }
 * const app = Fastify()
 * await app.register(audit, optionsFromNomadStanza(stanza, { dataDir: './data' }))
 * ```
 */
export function optionsFromNomadStanza(
  stanza: unknown,
  { dataDir }: { dataDir?: string | undefined } = {},
): AuditOptions {
  const issues: z.core.$ZodIssue[] = []
  const { body, path } = onlyOne(stanza, ['audit'])
  const settings = readAt(path, body, stanzaSchema, issues)
  const directory = readAt(['dataDir'], dataDir, dataDirSchema, issues) ?? DEFAULT_DATA_DIR
  const defaultPath = join(directory, 'audit', 'audit.log')
  const { sink, filter } = isRecord(body) ? body : {}
  const sinkBlocks = blocksAt([...path, 'sink'], sink, "{ audit: { type: 'file' } }", issues)
  const sinks = sinkBlocks.flatMap((block) => {
    const read = readAt(block.path, block.body, nomadSink, issues)
    return read === undefined ? [] : [toSink(block.name, read, defaultPath)]
  })
  const filterBlocks = blocksAt([...path, 'filter'], filter, "{ reads: { endpoints: ['*'], … } }", issues)
  const filters = filterBlocks.flatMap((block) => {
    const read = readAt(block.path, block.body, nomadFilter, issues)
    return read === undefined ? [] : [toFilter(block.name, read)]
  })
  issues.push(...conflicts(sinkBlocks, defaultPath))
  refuseMistakes("Nomad's audit stanza", issues, { audit: stanza, dataDir })
  return {
    enabled: settings?.enabled === true,
    ...(dataDir !== undefined && { dataDir }),
    ...(sinks.length > 0 && { sinks }),
    ...(filters.length > 0 && { filters }),
  }
}

/** Finds what is wrong between sinks that may each be right. */
function conflicts(blocks: readonly Block[], defaultPath: string): z.core.$ZodIssue[] {
  const issues = blocks
    .slice(MAX_SINKS, MAX_SINKS + 1)
    .map(({ path }) => problemAt(path, `is one too many; use at most ${MAX_SINKS} sinks`))
  for (const [index, block] of blocks.entries()) {
    const earlier = blocks.slice(0, index)
    const named = earlier.find(({ name }) => sinkNameOf(name) === sinkNameOf(block.name))
    const file = fileOf(block, defaultPath)
    const shared = file === undefined ? undefined : earlier.find((other) => fileOf(other, defaultPath) === file)
    if (named !== undefined) {
      issues.push(
        problemAt(block.path, `has the name of ${describePath(named.path)} too; give each sink a name of its own`),
      )
    }
    if (shared !== undefined) {
      issues.push(
        problemAt(block.path, `has the file of ${describePath(shared.path)} too; give each sink a \`path\` of its own`),
      )
    }
  }
  return issues
}

function fileOf({ body }: Block, defaultPath: string): string | undefined {
  const path = isRecord(body) ? (body.path ?? defaultPath) : undefined
  return typeof path === 'string' ? resolve(path) : undefined
}
