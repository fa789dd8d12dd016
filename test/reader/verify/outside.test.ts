import { copyFileSync, mkdtempSync, renameSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import { expect, it, onTestFinished } from 'vitest'
import audit, { verifyTrail } from '../../../src/index.js'

/** A server that has sealed a few lines, and changes that somebody else may make to its file. */
async function serve() {
  const directory = mkdtempSync(join(tmpdir(), 'outside-'))
  const path = join(directory, 'audit.log')
  const app = Fastify()
  onTestFinished(async () => {
    await app.close()
    rmSync(directory, { recursive: true, force: true })
  })
  await app.register(audit, { sinks: [{ name: 'audit', type: 'file', path, seal: true }] })
  app.get('/', async () => [])
  await app.ready()
  await app.inject('/')
  return { app, path, moved: `${path}.1` }
}

it('the chain goes on over a file that somebody else has moved', async () => {
  const { app, path, moved } = await serve()
  renameSync(path, moved)
  await app.audit.reopen()
  await app.inject('/')
  await app.close()
  for (const paths of [[path, moved], [path]]) {
    expect(await verifyTrail(paths)).toMatchObject({ ok: true, chains: 1 })
  }
  rmSync(moved)
  expect((await verifyTrail([path])).problems.map(({ kind }) => kind)).toEqual(['begins-in-the-middle'])
})

it('the chain goes on over a file that somebody else has copied and cut to nothing', async () => {
  const { app, path, moved } = await serve()
  copyFileSync(path, moved)
  truncateSync(path)
  await app.audit.reopen()
  await app.inject('/')
  await app.close()
  expect(await verifyTrail([path, moved])).toMatchObject({ ok: true, chains: 1 })
})

it('a file that somebody has deleted is missed', async () => {
  const { app, path } = await serve()
  rmSync(path)
  await app.audit.reopen()
  await app.inject('/')
  await app.close()
  expect((await verifyTrail([path])).problems.map(({ kind }) => kind)).toEqual(['begins-in-the-middle'])
})

it('a file that was emptied while the server was down begins a new chain, which is said', async () => {
  const { app, path, moved } = await serve()
  await app.close()
  copyFileSync(path, moved)
  truncateSync(path)
  const next = Fastify()
  await next.register(audit, { sinks: [{ name: 'audit', type: 'file', path, seal: true }] })
  await next.ready()
  await next.close()
  for (const paths of [[path], [path, moved]]) expect(await verifyTrail(paths)).toMatchObject({ ok: true, chains: 2 })
})
