import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { createAudit } from '../../src/standalone.js'
import { expectCounted, readTrail } from './books.js'
import { mountVolume, type VolumeKind } from './volume.js'

const HOW: Array<{ kind: VolumeKind; fsync: boolean; rotateBytes: number }> = [
  { kind: 'tmpfs', fsync: false, rotateBytes: 0 },
  { kind: 'ext4', fsync: true, rotateBytes: 20_000 },
]

/** More than a page of a file system, so that a line with them fits on no disk that is full. */
const targets = Array.from({ length: 16 }, (_, index) => ({ type: 'thing', id: `${index}${'x'.repeat(250)}` }))
const annotations = { padding: 'x'.repeat(8000) }
const log = { info: () => undefined, warn: () => undefined, error: () => undefined }

it.for(HOW)(
  'rejects what a full disk does not hold, runs no work without its beginning, and heals (%o)',
  async ({ kind, fsync, rotateBytes }, context) => {
    const volume = mountVolume(context, kind)
    const path = join(volume.directory, 'audit.log')
    const capture = { maxAnnotationBytes: '16KiB' }
    const audit = await createAudit({
      sinks: [{ name: 'audit', type: 'file', path, fsync, rotateBytes }],
      capture,
      log,
    })

    for (const round of [1, 2, 3]) {
      await audit.record({ action: `before.${round}` })
      const withheld = audit.run({ action: `work.${round}` }, (work) => {
        volume.fill()
        work.annotate(annotations)
        return round
      })
      await expect(withheld).rejects.toMatchObject({ code: 'FST_AUDIT_RESPONSE_WITHHELD', result: round })
      const refused = { code: 'FST_AUDIT_NOT_RECORDED' }
      await expect(audit.record({ action: `full.${round}`, targets })).rejects.toMatchObject(refused)
      const execute = vi.fn()
      await expect(audit.run({ action: `never.${round}`, targets }, execute)).rejects.toMatchObject(refused)
      expect(execute).not.toHaveBeenCalled()
      expect(audit.healthy).toBe(false)

      volume.free()
      await audit.record({ action: `after.${round}`, targets })
      expect(audit.healthy).toBe(true)
    }
    await audit.close()

    const lines = readTrail(path)
    expectCounted(lines, audit.stats().sinks.audit)
    const told = lines.flatMap(({ payload }) => (payload.type === 'action' ? [[payload.action, payload.stage]] : []))
    const stored = [1, 2, 3].flatMap((round) => [
      [`before.${round}`, undefined],
      [`work.${round}`, 'OperationReceived'],
      [`after.${round}`, undefined],
    ])
    // A short complaint of refused work may fit, or come after the disk has room again.
    expect(told.filter(([action]) => !/^never/.test(String(action)))).toEqual(stored)
    expect(told.filter(([action, stage]) => /^never/.test(String(action)) && stage !== 'OperationComplete')).toEqual([])
  },
)
