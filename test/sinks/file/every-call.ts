import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { useFakeTimers } from '../../support/lane.js'
import { type Fault, FaultyFs } from './faulty-fs.js'
import { Disk } from './model/disk.js'
import { Machine } from './model/machine.js'
import { Scenario, type Stage } from './scenario.js'
import { ManualClock, temporaryDirectory } from './world.js'

const UNTIL_HEALED = { times: Number.POSITIVE_INFINITY }

/** Faults of a call. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  'ENOSPC, once': { code: 'ENOSPC' },
  'ENOSPC, until there is room': { code: 'ENOSPC', ...UNTIL_HEALED },
  'EIO, once': { code: 'EIO' },
  'EIO, twice': { code: 'EIO', times: 2 },
  'EIO, until the disk is mended': { code: 'EIO', ...UNTIL_HEALED },
  'EIO, of a call that was done all the same': { code: 'EIO', isDone: true },
  'EACCES, once': { code: 'EACCES' },
  'EACCES, until it is permitted': { code: 'EACCES', ...UNTIL_HEALED },
  'EMFILE, once': { code: 'EMFILE' },
  'EMFILE, until there are descriptors': { code: 'EMFILE', ...UNTIL_HEALED },
  'a short write': { op: 'write', bytes: 1 },
  'a short write, and another': { op: 'write', bytes: 1, times: 2 },
  'a short write, and no room': { op: 'write', bytes: 1, code: 'ENOSPC', ...UNTIL_HEALED },
  'a hang': { hang: true },
}

/** Runs the scenario with the fault at the first call, the second and so on, until a run never gets there. */
export async function failEveryCall(name: string, fsync: boolean, makeStage: () => Stage = modelled): Promise<void> {
  const fault = FAULTS[name]
  if (fault === undefined) throw new Error(`no such fault: ${name}`)
  useFakeTimers()
  for (let nth = 1; ; nth++) {
    const stage = makeStage()
    const scenario = new Scenario(stage, fsync, { ...fault, nth })
    try {
      await scenario.run()
    } catch (error) {
      const calls = stage.fs.calls.length
      throw new Error(`${name} at ${fault.op ?? 'call'} ${nth} of ${calls} (fsync: ${fsync})`, { cause: error })
    }
    if (scenario.fault.hits > 0) continue
    expect(nth, 'the scenario makes so many calls').toBeGreaterThan(fault.op === undefined ? 150 : 20)
    return
  }
}

/** On a modelled disk. */
function modelled(): Stage {
  const clock = new ManualClock()
  const disk = new Disk(clock)
  const machine = new Machine(disk, clock)
  return {
    path: '/var/log/audit.log',
    clock,
    fs: new FaultyFs(machine),
    texts: () => disk.texts('/var/log'),
    descriptors: () => machine.descriptorCount,
  }
}

/** On the real one. */
export function onDisk(): () => Stage {
  const directory = temporaryDirectory()
  return () => {
    for (const name of readdirSync(directory)) rmSync(join(directory, name))
    return {
      path: join(directory, 'audit.log'),
      clock: new ManualClock(),
      fs: new FaultyFs(),
      texts: () => new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8')])),
    }
  }
}
