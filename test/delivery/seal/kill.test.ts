import { expect, it } from 'vitest'
import { verifyTrail } from '../../../src/index.js'
import { temporaryDirectory } from '../../sinks/file/world.js'
import { compiled } from '../../support/process/compiled.js'
import { killServers } from '../../support/process/kills.js'
import { ServerProcess } from '../../support/process/server-process.js'
import { randomFrom } from '../../support/random.js'
import { KEYS } from './sealed-trail.js'

const program = await compiled()

it('goes on with an unbroken chain, whenever the server is killed', async () => {
  const seed = Date.now()
  const privateKey = KEYS.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const seal = { secret: 'a secret of at least thirty-two bytes', privateKey, checkpointEvery: 20 }
  const sink = { path: `${temporaryDirectory()}/audit.log`, rotateBytes: 20_000, seal }
  await killServers(program, 8, sink, randomFrom(seed))
  const server = new ServerProcess(program, { sink })
  await server.open()
  server.order('close')
  await server.ended

  const { publicKey } = KEYS
  const result = await verifyTrail([sink.path], { secret: seal.secret, publicKey })
  expect(result.problems, `seed ${seed}`).toEqual([])
  expect(result).toMatchObject({ chains: 1, unsealed: 0, torn: 0, unsignedLines: 0 })
  expect(result.checkpoints).toBeGreaterThan(0)
})
