import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it, onTestFinished } from 'vitest'
import { readTrail } from '../../src/index.js'
import { temporaryDirectory } from '../sinks/file/world.js'
import { root } from '../support/markdown.js'

/** The status of a reply that came over a Unix socket. */
async function statusOf(socketPath: string, path: string): Promise<number | undefined> {
  const asked = request({ socketPath, path }).end()
  const [reply] = await once(asked, 'response')
  reply.resume()
  return reply.statusCode
}

it('`fastify start` runs the app that autoload puts together, and every request is in the trail', async () => {
  const directory = temporaryDirectory()
  const socket = join(directory, 'socket')
  const file = join(directory, 'audit.log')
  const cli = join(root, 'node_modules/fastify-cli/cli.js')
  const app = join(root, 'examples/fastify-cli/app.ts')
  const args = ['--import', 'tsx', cli, 'start', '--log-level', 'info', '--socket', socket, '--options', app]
  const server = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, AUDIT_FILE: file },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void server.kill('SIGKILL'))
  const ended = once(server, 'exit')
  const lines: string[] = []
  for await (const line of createInterface({ input: server.stdout })) {
    lines.push(line)
    if (line.includes('Server listening')) break
  }
  expect(lines.at(-1), lines.join('\n')).toContain('Server listening')

  expect(await statusOf(socket, '/jobs')).toBe(200)
  expect(await statusOf(socket, '/nothing')).toBe(404)
  expect(await statusOf(socket, '/%zz')).toBe(400)
  server.kill('SIGTERM')
  await ended
  const seen: string[] = []
  for await (const { request, response } of readTrail(file)) {
    seen.push(`${request?.endpoint} ${response?.status_code}`)
  }
  expect(seen).toEqual(['/jobs 200', '/nothing 404', '/%zz 400'])
})
