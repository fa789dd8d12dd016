/** A program without a server, whose first argument says what it does; the second one is the path of its trail. */
import { createAudit, type StandaloneOptions } from '../../src/standalone.js'

const [, , what = '', path = ''] = process.argv
const options: StandaloneOptions = { sinks: [{ name: 'audit', type: 'file', path, seal: true }] }
const actor = { accessorId: 'worker' }

const PROGRAMS: Record<string, () => Promise<void>> = {
  /** Never closes its trail: nothing of it keeps the process alive. */
  async 'ends without close'() {
    const audit = await createAudit(options)
    await audit.record({ action: 'job.done', actor })
  },
  async 'exits without close'() {
    const audit = await createAudit(options)
    await audit.record({ action: 'job.done', actor })
    process.exit()
  },
  async 'exits in its work'() {
    const audit = await createAudit(options)
    await audit.run({ action: 'job.done', actor }, () => process.exit())
  },
  /** Works beside a server, which says when to begin the second part. */
  async 'stands beside a server'() {
    const audit = await createAudit(options)
    await audit.record({ action: 'job.begin', actor })
    process.send?.('first')
    await new Promise((resolve) => process.once('message', resolve))
    await audit.run({ action: 'job.run', actor }, () => undefined)
    await audit.close()
    process.disconnect()
  },
  /** Has no logger of its own. */
  async 'loses an action'() {
    const sink = { write: () => Promise.reject(new Error('no disk')) }
    const audit = await createAudit({ sinks: [{ name: 'lost', sink }] })
    await audit.record({ action: 'job.done' }).catch((error: Error) => console.log(error.message))
    await audit.close()
  },
}

await PROGRAMS[what]?.()
