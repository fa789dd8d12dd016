import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { served, server } from '../cli/served.js'
import { StagedSink } from '../support/staged-sink.js'
import { found, temporaryDirectory } from './made.js'

describe('a trail that is written to and rotated while it is read', () => {
  it('has every request that was answered before, once', async () => {
    const directory = temporaryDirectory()
    const path = join(directory, 'audit.log')
    const app = await server(path, 'json', new StagedSink(), '8KiB')
    await app.ready()
    const answered: string[] = []
    let isOver = false
    const load = (async () => {
      while (!isOver) answered.push(String((await app.inject('/v1/jobs/web')).headers['x-audit-id']))
    })()
    while (readdirSync(directory).length < 30) {
      const before = [...answered]
      const ids = await found(path)
      expect(new Set(ids).size).toBe(ids.length)
      expect(before.filter((id) => !ids.includes(id))).toEqual([])
    }
    isOver = true
    await load
    await app.close()
    expect((await found(path)).sort()).toEqual(answered.sort())
  })

  it('is read as the plugin writes it, in both formats', async () => {
    for (const format of ['json', 'rancher'] as const) {
      const { path, replies } = await served(format)
      expect(await found(path)).toEqual(replies.map(({ id }) => id))
    }
  })
})
