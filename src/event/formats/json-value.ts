import { quoteWhole } from '../../json.js'
import type { JsonValue } from '../event.js'

/** Any JSON value, with its strings made safe for a line. */
export function writeJson(value: JsonValue | object): string {
  if (typeof value === 'string') return quoteWhole(value)
  if (Array.isArray(value)) return `[${value.map(writeJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).filter(([, member]) => member !== undefined)
    return `{${pairs.map(([key, member]) => `${quoteWhole(key)}:${writeJson(member)}`).join(',')}}`
  }
  return JSON.stringify(value)
}
