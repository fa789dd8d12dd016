import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const MAIN = fileURLToPath(new URL('./bodies-main.ts', import.meta.url))

/** Measures the bytes that a server holds while requests with bodies wait for its sink, in a process of its own. */
export async function heldByBodies(count: number, bytes: number, level: 'metadata' | 'response'): Promise<number> {
  const flags = ['--max-old-space-size=12000', '--expose-gc', '--import', 'tsx']
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, MAIN, String(count), String(bytes), level])
  return Number(stdout)
}
