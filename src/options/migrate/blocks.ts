import type { z } from 'zod'
import { isRecord } from '../combinations.js'

// HCL's blocks in their JSON forms.

export type Path = (string | number)[]

/** A named block, and where it stands. */
export interface Block {
  name: string
  path: Path
  body: Record<string, unknown>
}

/** Something wrong that no schema finds. */
export function problemAt(path: Path, message: string): z.core.$ZodIssue {
  return { code: 'custom', input: undefined, path, message }
}

/** Parses the value at a path; if it is wrong, adds its mistakes to `issues` and returns undefined. */
export function readAt<Schema extends z.ZodType>(
  path: Path,
  value: unknown,
  schema: Schema,
  issues: z.core.$ZodIssue[],
): z.output<Schema> | undefined {
  const { data, error } = schema.safeParse(value)
  for (const issue of error?.issues ?? []) issues.push({ ...issue, path: [...path, ...issue.path] })
  return data
}

/** A block that can be there once: converters make a list of one of it. */
export function onlyOne(value: unknown, path: Path): { body: unknown; path: Path } {
  return Array.isArray(value) && value.length === 1 ? { body: value[0], path: [...path, 0] } : { body: value, path }
}

/** Named blocks in any form that JSON has for them: `{ name: {…} }`, `[{ name: {…} }, …]`, `{ name: [{…}, …] }`. */
export function blocksAt(path: Path, value: unknown, example: string, issues: z.core.$ZodIssue[]): Block[] {
  const blocks: Block[] = []
  for (const { item: named, itemPath } of itemsOf(value ?? [], path)) {
    if (!isRecord(named)) issues.push(problemAt(itemPath, `is not an object keyed by name; write it as ${example}`))
    else for (const [name, bodies] of Object.entries(named)) addBlocks(name, bodies, [...itemPath, name])
  }
  return blocks

  function addBlocks(name: string, bodies: unknown, namePath: Path): void {
    for (const { item: body, itemPath } of itemsOf(bodies, namePath)) {
      if (name === '') issues.push(problemAt(itemPath, 'has no name; write one as its key'))
      else if (isRecord(body)) blocks.push({ name, path: itemPath, body })
      else issues.push(problemAt(itemPath, `is not a block; blocks are keyed by name: write ${example}`))
    }
  }
}

function itemsOf(value: unknown, path: Path): { item: unknown; itemPath: Path }[] {
  if (!Array.isArray(value)) return [{ item: value, itemPath: path }]
  return value.map((item: unknown, index) => ({ item, itemPath: [...path, index] }))
}
