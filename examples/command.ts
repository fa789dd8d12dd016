/**
 * A command for operators that records who ran it, before it does anything:
 * `tsx examples/command.ts disable-user 7 --reason 'left the company'`. `AUDIT_FILE` says where its trail is.
 */
import { userInfo } from 'node:os'
import { parseArgs } from 'node:util'
import { createAudit } from 'fastify-audit-log/standalone'

const USAGE = 'usage: disable-user ID --reason TEXT'

/** In place of your database. */
async function disable(id: string): Promise<{ sessions: number }> {
  if (id === '0') throw new Error('the first user cannot be disabled')
  return { sessions: 2 }
}

async function disableUser(id: string, reason: string): Promise<string> {
  const path = process.env.AUDIT_FILE ?? './data/audit/commands-{slot}.log'
  // Rejects when the trail cannot be opened: then nothing is done.
  const audit = await createAudit({ sinks: [{ name: 'audit', type: 'file', path, fsync: true }] })
  const { username, uid } = userInfo()
  const actor = { accessorId: String(uid), name: username, method: 'shell' }
  const targets = { type: 'user', id }
  try {
    return await audit.run({ action: 'user.disable', actor, targets, annotations: { reason } }, async (work) => {
      const { sessions } = await disable(id)
      work.annotate({ sessions })
      return `user ${id} is disabled, ${sessions} sessions are ended`
    })
  } finally {
    await audit.close()
  }
}

const { positionals, values } = parseArgs({ allowPositionals: true, options: { reason: { type: 'string' } } })
const [command, id] = positionals
if (command === 'disable-user' && id !== undefined && values.reason !== undefined) {
  try {
    console.log(await disableUser(id, values.reason))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    // Not process.exit(): it would end the process before everything is written.
    process.exitCode = 1
  }
} else {
  console.log(USAGE)
}
