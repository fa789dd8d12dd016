import { resolve } from 'node:path'
import type { z } from 'zod'
import { defaultPath } from './combinations.js'
import type { optionsSchema, sinkSchema } from './schema.js'

/**
 * The options that the plugin's parts work with: every option decided, durations in ms, sizes in bytes, paths absolute.
 */
export type ResolvedOptions = ReturnType<typeof resolveOptions>

export type ResolvedSink = ReturnType<typeof resolveSink>

/** Fills what the schema cannot: paths, of which the default depends on `dataDir`. */
export function resolveOptions({ dataDir, sinks, ...options }: z.output<typeof optionsSchema>) {
  return { ...options, sinks: sinks.map((sink) => resolveSink(sink, dataDir)) }
}

function resolveSink(sink: z.output<typeof sinkSchema>, dataDir: string) {
  switch (sink.type) {
    case 'file':
      return { ...sink, path: sink.path === undefined ? defaultPath(dataDir) : resolve(sink.path) }
    case 'stdout':
      return sink
    case undefined:
      return { ...sink, type: 'custom' as const }
  }
}
