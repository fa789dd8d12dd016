import { resolve } from 'node:path'
import type { z } from 'zod'
import { LEVEL_NAMES, toLevel } from '../event/level.js'
import { parseDuration, parseSize } from '../units.js'
import { defaultPath } from './combinations.js'
import type { ResolvedFile, ResolvedOptions, ResolvedSink, ResolvedSinkBase } from './resolved.js'
import type { fileSinkSchema, optionsSchema, sinkSchema } from './schema.js'
import { resolveSeal } from './seal.js'

/** Options that were checked, in the units and absolute paths that the plugin's parts work with. */
export function resolveOptions(options: z.output<typeof optionsSchema>): ResolvedOptions {
  const { enabled, scope, identity, namespace, auditIdHeader, capture, redact } = options
  const dataDir = resolve(options.dataDir)
  return {
    enabled,
    dataDir,
    scope,
    sinks: options.sinks.map((sink) => resolveSink(sink, dataDir)),
    filters: [...options.filters],
    level: toLevel(options.level),
    // By name: the start entry lists the rules, and a search engine takes a field for numbers or for texts.
    rules: options.rules.map((rule) => ({ ...rule, level: LEVEL_NAMES[toLevel(rule.level)] })),
    capture: {
      maxBodyBytes: parseSize(capture.maxBodyBytes),
      requestHeaders: capture.requestHeaders.map((name) => name.toLowerCase()),
      responseHeaders: capture.responseHeaders.map((name) => name.toLowerCase()),
      maxAnnotations: capture.maxAnnotations,
      maxAnnotationBytes: parseSize(capture.maxAnnotationBytes),
    },
    redact: { ...redact, secret: redact.secret === undefined ? undefined : Buffer.from(redact.secret) },
    identity,
    namespace,
    auditIdHeader: auditIdHeader === false ? false : auditIdHeader.toLowerCase(),
    closeTimeout: parseDuration(options.closeTimeout),
    abortTimeout: parseDuration(options.abortTimeout),
    openTimeout: parseDuration(options.openTimeout),
  }
}

function resolveSink(sink: z.output<typeof sinkSchema>, dataDir: string): ResolvedSink {
  const base: ResolvedSinkBase = {
    name: sink.name,
    deliveryGuarantee: sink.deliveryGuarantee,
    format: sink.format,
    timeout: parseDuration(sink.timeout),
    maxQueue: sink.maxQueue,
    maxQueueBytes: parseSize(sink.maxQueueBytes),
    filters: [...sink.filters],
    seal: resolveSeal(sink.seal),
  }
  switch (sink.type) {
    case 'file':
      return { ...base, type: 'file', file: resolveFile(sink, dataDir) }
    case 'stdout':
      return { ...base, type: 'stdout' }
    case undefined:
      return { ...base, type: 'custom', sink: sink.sink }
  }
}

function resolveFile(sink: z.output<typeof fileSinkSchema>, dataDir: string): ResolvedFile {
  return {
    path: sink.path === undefined ? defaultPath(dataDir) : resolve(sink.path),
    mode: sink.mode,
    dirMode: sink.dirMode,
    rotateBytes: parseSize(sink.rotateBytes),
    rotateDuration: parseDuration(sink.rotateDuration),
    rotateMaxFiles: sink.rotateMaxFiles,
    rotateMaxAge: parseDuration(sink.rotateMaxAge),
    rotateMinAge: parseDuration(sink.rotateMinAge),
    fsync: sink.fsync,
    lockTimeout: parseDuration(sink.lockTimeout),
  }
}
