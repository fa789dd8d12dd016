import { createHash, createHmac } from 'node:crypto'

const ENDING = /,"prev":"(\w+)","hash":"(\w+)"\}$/

export const isSealed = (line: string): boolean => ENDING.test(line)

/** A line without its seal. */
export const stripped = (line: string): string => line.replace(ENDING, '}')

/** Seals lines anew after the line of hash `prev`, as anyone with this secret can; without a secret, everyone can. */
export function reseal(lines: readonly string[], prev: string, secret?: string): string[] {
  let head = prev
  return lines.map((line) => {
    const content = `${stripped(line).slice(0, -1)},"prev":"${head}"`
    const hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret)
    head = hash.update(`${content}}`).digest('hex')
    return `${content},"hash":"${head}"}`
  })
}

export const prevOf = (line: string | undefined): string => ENDING.exec(line ?? '')?.[1] ?? ''
export const hashOf = (line: string | undefined): string => ENDING.exec(line ?? '')?.[2] ?? ''
