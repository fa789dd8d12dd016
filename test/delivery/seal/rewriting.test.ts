import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Checkpoint, type VerifyProblemKind, verifyTrail } from '../../../src/index.js'
import { temporaryDirectory } from '../../sinks/file/world.js'
import { isSealed, stripped } from './forging.js'
import { KEYS, type Logged, readTrailFiles, type WrittenTrail, writeTrail } from './sealed-trail.js'

const SECRET = 'a secret of at least thirty-two bytes'
const SEAL = { secret: SECRET, privateKey: KEYS.privateKey, checkpointEvery: 4 }

/** Sealed under both keys, over some files and runs; then changed while no server runs, and served again. */
async function rewritten(change: (path: string, before: WrittenTrail) => void, rotateBytes = 4000) {
  const directory = temporaryDirectory()
  const path = join(directory, 'audit.log')
  const before = await writeTrail(directory, [5, 8], { ...SEAL, rotateBytes })
  const newest = before.checkpoints.at(-1)
  if (newest === undefined) throw new Error('there is no checkpoint')
  change(path, before)
  const log: Logged[] = []
  const after = await writeTrail(directory, [3], { ...SEAL, rotateBytes, log })
  const kinds = async (expected?: Checkpoint): Promise<VerifyProblemKind[]> => {
    const { problems } = await verifyTrail([path], { secret: SECRET, publicKey: KEYS.publicKey, expect: expected })
    return problems.map(({ kind }) => kind)
  }
  return { directory, path, newest, log, lines: after.files.flatMap(({ lines }) => lines), kinds }
}

const REWRITES: Array<[string, (path: string, before: WrittenTrail) => void]> = [
  [
    'the lines after a checkpoint are stripped of their seals and edited',
    (path) => {
      const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
      const checkpoint = lines.findIndex((line) => line.includes('"type":"checkpoint"'))
      const edited = lines.map((line, index) => (index <= checkpoint ? line : stripped(line).replace('/jobs/', '/x/')))
      writeFileSync(path, `${edited.join('\n')}\n`)
    },
  ],
  ['a line without a seal is appended', (path) => appendFileSync(path, '{"forged":true}\n')],
  [
    'the newest files are deleted, and one line without a seal is left',
    (path, { files }) => {
      for (const { name } of files.slice(1)) rmSync(join(path, '..', name))
      writeFileSync(path, '{"forged":true}\n')
    },
  ],
]

describe.each(REWRITES)('of a sealed trail, when %s before a start', (_what, change) => {
  it('`verify` names it, with and without a checkpoint that was kept elsewhere', async () => {
    const { kinds, newest } = await rewritten(change)
    expect(await kinds()).toContain('unsealed')
    expect(await kinds(newest)).toContain('unsealed')
  })

  it('the log says it, and the chain goes on from the last sealed line', async () => {
    const { log, lines } = await rewritten(change)
    const errors = log.filter(({ level }) => level === 50)
    expect(errors.map(({ msg }) => msg)).toEqual([expect.stringContaining('without a seal')])
    const last = lines.findLastIndex((line) => !isSealed(line))
    const sealed = lines.slice(0, last).findLast(isSealed) ?? ''
    const { prev, payload } = JSON.parse(lines[last + 1] ?? '')
    expect(prev).toBe(JSON.parse(sealed).hash)
    expect(payload.seal).toMatchObject({ chain: 'resumed', unsealed: expect.stringMatching(/^[0-9a-f]{64}$/) })
  })

  it('it stays named when the lines without a seal are taken out again', async () => {
    const { path, directory, kinds } = await rewritten(change)
    for (const { name, lines } of readTrailFiles(directory)) {
      const sealed = lines.filter(isSealed)
      writeFileSync(join(directory, name), sealed.map((line) => `${line}\n`).join(''))
    }
    expect(readdirSync(directory)).toContain('audit.log')
    expect(readFileSync(path, 'utf8')).not.toBe('')
    expect(await kinds()).toEqual(['unsealed'])
  })
})

it('when nothing sealed is left, only a checkpoint kept elsewhere tells it from a trail that is sealed from now on', async () => {
  const { kinds, newest, log } = await rewritten((path, { files }) => {
    for (const { name } of files) rmSync(join(path, '..', name))
    writeFileSync(path, '{"forged":true}\n')
  })
  expect(log.map(({ level, msg }) => [level, msg])).toContainEqual([40, expect.stringContaining('no line with a seal')])
  expect(await kinds()).toEqual([])
  expect(await kinds(newest)).toEqual(['cut-off'])
})
