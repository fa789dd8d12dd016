import { join, resolve } from 'node:path'
import { z } from 'zod'
import { DEFAULT_DATA_DIR, isRecord, MAX_SINKS } from '../options/combinations.js'
import { describePath } from '../options/describe.js'
import { dataDirProblem } from '../options/problems.js'
import type { AuditOptions, FileSinkOptions } from '../options/types.js'
import { flag, strict, text } from '../options/values.js'
import { type Block, nomadFilter, nomadSink, sinkNameOf, toFilter, toSink } from './nomad-blocks.js'
import { problemAt, refuseMistakes } from './refuse.js'

type Path = (string | number)[]

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
  const { body, path } = onlyOne(stanza, ['audit'])
  const settings = stanzaSchema.safeParse(body)
  const directory = dataDirSchema.safeParse(dataDir)
  const sinks = blocksOf(isRecord(body) ? body.sink : undefined, [...path, 'sink'], "{ audit: { type: 'file' } }")
  const filters = blocksOf(isRecord(body) ? body.filter : undefined, [...path, 'filter'], '{ reads: { … } }')
  const sinkBodies = sinks.blocks.map((block) => ({ block, ...nomadSink.safeParse(block.body) }))
  const filterBodies = filters.blocks.map((block) => ({ block, ...nomadFilter.safeParse(block.body) }))
  const defaultPath = join(directory.data ?? DEFAULT_DATA_DIR, 'audit', 'audit.log')
  refuseMistakes(
    "Nomad's audit stanza",
    [
      ...at(path, settings.error?.issues),
      ...at(['dataDir'], directory.error?.issues),
      ...sinks.issues,
      ...filters.issues,
      ...[...sinkBodies, ...filterBodies].flatMap(({ block, error }) => at(block.path, error?.issues)),
      ...conflicts(sinks.blocks, defaultPath),
    ],
    { audit: stanza, dataDir },
  )
  const sinkOptions = sinkBodies.flatMap(({ block, data }): FileSinkOptions[] =>
    data === undefined ? [] : [toSink(block.name, data, defaultPath)],
  )
  const filterOptions = filterBodies.flatMap(({ block, data }) =>
    data === undefined ? [] : [toFilter(block.name, data)],
  )
  return {
    enabled: settings.data?.enabled === true,
    ...(dataDir !== undefined && { dataDir }),
    ...(sinkOptions.length > 0 && { sinks: sinkOptions }),
    ...(filterOptions.length > 0 && { filters: filterOptions }),
  }
}

/** A block that can be there once: HCL's JSON may make a list of one of it. */
function onlyOne(value: unknown, path: Path): { body: unknown; path: Path } {
  return Array.isArray(value) && value.length === 1 ? { body: value[0], path: [...path, 0] } : { body: value, path }
}

/** Named blocks in any form that JSON has for them: `{ name: {…} }`, `[{ name: {…} }, …]`, `{ name: [{…}, …] }`. */
function blocksOf(value: unknown, path: Path, example: string): { blocks: Block[]; issues: z.core.$ZodIssue[] } {
  const blocks: Block[] = []
  const issues: z.core.$ZodIssue[] = []
  for (const { item, itemPath } of itemsOf(value ?? [], path)) {
    if (!isRecord(item)) issues.push(problemAt(itemPath, `is not an object keyed by name; write it as ${example}`))
    else {
      for (const [name, bodies] of Object.entries(item)) {
        for (const inner of itemsOf(bodies, [...itemPath, name])) {
          if (name === '') issues.push(problemAt(inner.itemPath, 'has no name; write one as its key'))
          else if (isRecord(inner.item)) blocks.push({ name, path: inner.itemPath, body: inner.item })
          else issues.push(problemAt(inner.itemPath, `is not a block; blocks are keyed by name: write ${example}`))
        }
      }
    }
  }
  return { blocks, issues }
}

function itemsOf(value: unknown, path: Path): { item: unknown; itemPath: Path }[] {
  if (!Array.isArray(value)) return [{ item: value, itemPath: path }]
  return value.map((item: unknown, index) => ({ item, itemPath: [...path, index] }))
}

/** What is wrong between sinks that may each be right. */
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

function at(path: Path, issues: readonly z.core.$ZodIssue[] = []): z.core.$ZodIssue[] {
  return issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] }))
}
