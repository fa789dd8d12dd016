/**
 * Records events and work in a flood until it is killed. Says on its standard output, in one write each, which work began
 * (`begun`), and what has resolved (`stored`, `done`).
 */
import { writeSync } from 'node:fs'
import { createAudit } from '../../src/standalone.js'

const [, , path = '', life = ''] = process.argv

const audit = await createAudit({
  sinks: [{ name: 'audit', type: 'file', path, rotateBytes: 20_000, lockTimeout: 0 }],
})
let last = 0

function tell(word: string, name: string): void {
  writeSync(1, `${word} ${name}\n`)
}

async function flood(): Promise<void> {
  for (;;) {
    const name = `${life}-${++last}`
    if (last % 2 === 0) {
      await audit.record({ action: name, annotations: { padding: 'x'.repeat(last % 1500) } })
      tell('stored', name)
    } else {
      await audit.run({ action: name }, async (work) => {
        tell('begun', name)
        await work.record({ action: `${name}-inner` })
        tell('stored', `${name}-inner`)
      })
      tell('done', name)
    }
  }
}

await Promise.all(Array.from({ length: 16 }, flood))
