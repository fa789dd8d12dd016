import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { KEYS, writeFiles, writeTrail } from '../delivery/seal/sealed-trail.js'
import { temporaryDirectory } from '../reader/made.js'
import { program } from './program.js'

const cli = await program()

describe('verify', () => {
  it('ends with 0 for a trail as it was written, over all its files', async () => {
    const directory = temporaryDirectory()
    await writeTrail(directory, [10, 10], { rotateBytes: 4096 })
    const { code, stdout, stderr } = await cli.run('verify', join(directory, 'audit.log'))
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^The trail holds\.\n\d+ files, \d+ lines: \d+ sealed, 0 not;[\s\S]*hash [0-9a-f]{64}\n$/)
  })

  it('ends with 1 for a changed trail, and names each problem, its place and the parts that still hold', async () => {
    const directory = temporaryDirectory()
    const { files } = await writeTrail(directory, [10])
    const lines = files[0]?.lines ?? []
    lines[4] = String(lines[4]).replace('/jobs/', '/JOBS/')
    const path = writeFiles(join(directory, 'changed'), files)
    const { code, stdout } = await cli.run('verify', path)
    expect(code).toBe(1)
    expect(stdout).toMatch(/^The trail does not hold: \d+ found wrong\.\n/)
    expect(stdout).toContain(`  ${path}:5: altered: `)
    expect(stdout).toContain(`  ${path}, lines 1 to 4\n`)
    const json = await cli.run('verify', '--json', path)
    expect(json.code).toBe(1)
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, problems: [{ kind: 'altered', file: path, line: 5 }] })
  })

  it('names the first and the last of consecutive lines with the same problem', async () => {
    const directory = temporaryDirectory()
    const { files } = await writeTrail(directory, [10])
    const lines = files[0]?.lines ?? []
    for (const index of [4, 5, 6]) lines[index] = String(lines[index]).replace('/jobs/', '/JOBS/')
    const path = writeFiles(join(directory, 'changed'), files)
    expect((await cli.run('verify', path)).stdout).toContain(`\n  ${path}:5-7: altered: `)
  })

  it('takes secrets, by their key ids when there are several', async () => {
    const directory = temporaryDirectory()
    const secret = 's'.repeat(32)
    await writeTrail(directory, [3], { secret })
    const file = join(directory, 'secret')
    writeFileSync(file, `${secret}\n`)
    const wrong = join(directory, 'wrong')
    writeFileSync(wrong, 'w'.repeat(32))
    const path = join(directory, 'audit.log')
    const code = async (...args: string[]) => (await cli.run('verify', ...args, path)).code
    expect(await code('--secret-file', file)).toBe(0)
    expect(await code('--secret-file', wrong)).toBe(1)
    expect(await code('--secret-file', `0=${wrong}`, '--secret-file', `1=${file}`)).toBe(0)
    expect(await cli.run('verify', '--secret-file', file, '--secret-file', `old=${wrong}`, path)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('has no key id'),
    })
  })

  it('takes a public key, and what the trail must reach', async () => {
    const directory = temporaryDirectory()
    const { files, checkpoints } = await writeTrail(directory, [3], { privateKey: KEYS.privateKey })
    const path = join(directory, 'audit.log')
    const key = join(directory, 'key.pem')
    writeFileSync(key, KEYS.publicKey.export({ type: 'spki', format: 'pem' }))
    const checkpoint = JSON.stringify(checkpoints.at(-1))
    const kept = join(directory, 'checkpoint.json')
    writeFileSync(kept, `${checkpoint}\n`)
    for (const expected of [kept, checkpoint, JSON.parse(checkpoint).hash]) {
      expect(await cli.run('verify', '--public-key', key, '--expect', expected, path)).toMatchObject({ code: 0 })
    }
    const cutOff = files.map(({ name, lines }) => ({ name, lines: lines.slice(0, 3) }))
    const short = writeFiles(join(directory, 'cut'), cutOff)
    const { code, stdout } = await cli.run('verify', '--expect', kept, short)
    expect([code, stdout]).toEqual([1, expect.stringContaining('cut-off')])
  })

  it('says what the numbers of a trail without a seal show', async () => {
    const directory = temporaryDirectory()
    const sealed = (await writeTrail(directory, [4])).files[0]?.lines ?? []
    const lines = sealed.slice(1).map((line) => line.replace(/,"prev":.*$/, '}').replace(/"seq":(\d+)/, renumbered))
    const path = writeFiles(join(directory, 'unsealed'), [{ name: 'audit.log', lines }])
    expect((await cli.run('verify', path)).stdout).toContain('no number is missing between the first and the last')
    const holed = writeFiles(join(directory, 'holed'), [{ name: 'audit.log', lines: lines.toSpliced(2, 3) }])
    const { code, stdout } = await cli.run('verify', holed)
    expect(code).toBe(1)
    expect(stdout).toContain(`  ${holed}:3: missing: has a higher number`)
    expect(stdout).toContain('3 numbers are missing, and nothing accounts for 3 of them.')
  })

  it('ends with 2 when it cannot verify', async () => {
    const path = join(temporaryDirectory(), 'audit.log')
    expect(await cli.run('verify', path)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(path) })
    writeFileSync(path, '')
    for (const args of [
      ['--public-key', path],
      ['--public-key', `${path}.none`],
      ['--expect', path],
    ]) {
      const { code, stdout, stderr } = await cli.run('verify', ...args, path)
      expect([code, stdout]).toEqual([2, ''])
      expect(stderr).toMatch(/^fastify-audit-log: [^\n]+\n$/)
    }
    expect(readFileSync(path, 'utf8')).toBe('')
  })
})

const renumbered = (_match: string, seq: string): string => `"seq":${Number(seq) - 1}`
