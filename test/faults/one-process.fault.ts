import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, type TestContext } from 'vitest'
import { linesOf, temporaryDirectory } from '../sinks/file/world.js'
import { Holder, holderCommand } from './holder.js'
import { ifPermitted, run } from './volume.js'

const LOCKED = { code: 'FST_AUDIT_SINK_LOCKED' }
const ROUNDS = 15
/** A pid namespace of its own, as a container has, with a file system in common; ends with the command that made it. */
const CONTAINER = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc']

function place(): { directory: string; path: string; texts: () => unknown[] } {
  const directory = temporaryDirectory()
  const path = join(directory, 'audit.log')
  const texts = (): unknown[] => linesOf(readFileSync(path, 'utf8')).map((line) => JSON.parse(line).text)
  return { directory, path, texts }
}

/** The lock looks as if it had been renewed so many milliseconds ago. */
function age(path: string, by: number): void {
  const time = (Date.now() - by) / 1000
  utimesSync(`${path}.lock`, time, time)
}

function withContainers(context: TestContext): void {
  ifPermitted(context, 'making a pid namespace', () => run('unshare', ...CONTAINER.slice(1), 'true'))
}

describe('a second process', () => {
  it('is refused while the first one runs, and told who that is and what to do', async () => {
    const { path, texts } = place()
    const [first, second] = await Promise.all([Holder.start(path), Holder.start(path)])
    expect(await first.open()).toEqual({ path })
    const refused = await second.open(200)
    expect(refused).toMatchObject(LOCKED)
    expect(refused.message).toContain(`process ${first.pid} on host "${hostname()}" holds ${path}.lock`)
    expect(refused.message).toMatch(/put \{slot\} into `path` .*, set another `path`, or raise `lockTimeout`/)
    await first.write('a')
    await first.close()
    expect(await second.open()).toEqual({ path })
    await second.write('b')
    expect(texts()).toEqual(['a', 'b'])
  })

  it('takes over at once when the first one was killed', async () => {
    const { path, texts } = place()
    const [first, second] = await Promise.all([Holder.start(path), Holder.start(path)])
    await first.open()
    await first.write('a')
    await first.kill()
    expect(await second.open()).toEqual({ path })
    await second.write('b')
    expect(texts()).toEqual(['a', 'b'])
  })

  it('takes over at once when the first one was killed and another program has its pid', (context) => {
    const { path } = place()
    withContainers(context)
    // In a namespace of its own the next pid can be chosen, and nobody else takes it.
    const script = `
      mkfifo "$1.orders"
      "\${@:2}" < "$1.orders" > "$1.said" & pid=$!
      exec 7> "$1.orders"
      echo 'open 0' >&7
      until [ "$(grep -c . "$1.said")" = 2 ]; do read -rt 0.02 <> <(:) || :; done
      kill -9 $pid; wait $pid 2> /dev/null
      echo $((pid - 1)) > /proc/sys/kernel/ns_last_pid
      sleep 60 & other=$!
      echo "{\\"pid\\":$pid,\\"other\\":$other}"
      "\${@:2}" <<< 'open 0'
      kill $other`
    const [program = '', ...args] = CONTAINER
    const output = execFileSync(program, [...args, 'bash', '-c', script, 'bash', path, ...holderCommand(path)])
    const [pids, , opened] = output
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(JSON.parse(readFileSync(`${path}.said`, 'utf8').split('\n')[1] ?? '')).toEqual({ path })
    expect(pids.other).toBe(pids.pid)
    expect(opened).toEqual({ path })
  })
})

describe('between two containers that share a volume', () => {
  it('a second process is refused while the first one runs, although both have the same pid', async (context) => {
    withContainers(context)
    const { path, texts } = place()
    const first = await Holder.start(path, CONTAINER)
    const second = await Holder.start(path, CONTAINER)
    expect([first.pid, second.pid]).toEqual([1, 1])
    expect(await first.open()).toEqual({ path })
    const refused = await second.open(300)
    expect(refused).toMatchObject(LOCKED)
    expect(refused.message).toMatch(
      /process 1 on host .* \(in another container, .*put \{slot\} into `path` for cluster workers and rollouts/,
    )
    // Not even when the lock looks old: the first one renews it while the second one watches.
    age(path, 60_000)
    expect(await second.open(0)).toMatchObject(LOCKED)
    await first.write('a')
    expect(texts()).toEqual(['a'])
  })

  it('a second process takes over from one that was killed as soon as its lock is old', async (context) => {
    withContainers(context)
    const { path, directory, texts } = place()
    const [first, second] = await Promise.all([Holder.start(path, CONTAINER), Holder.start(path, CONTAINER)])
    await first.open()
    await first.write('a')
    await first.kill()
    expect(await second.open(0)).toMatchObject(LOCKED)
    age(path, 11_000)
    expect(await second.open(0)).toEqual({ path })
    await second.write('b')
    expect(texts()).toEqual(['a', 'b'])
    expect(readdirSync(directory).sort()).toEqual(['audit.log', 'audit.log.lock'])
  })

  it('one that takes the place of a killed one gets its lock with the default lockTimeout', async (context) => {
    withContainers(context)
    const { path, texts } = place()
    const [first, second] = await Promise.all([Holder.start(path, CONTAINER), Holder.start(path, CONTAINER)])
    await first.open()
    await first.write('a')
    await first.kill()
    expect(await second.open(5000)).toEqual({ path })
    await second.write('b')
    expect(texts()).toEqual(['a', 'b'])
  })

  it('a process that stood still for so long that another took over writes nothing more', async (context) => {
    withContainers(context)
    const { path, texts } = place()
    const [first, second] = await Promise.all([Holder.start(path), Holder.start(path, CONTAINER)])
    await first.open()
    await first.write('a')
    first.signal('SIGSTOP')
    age(path, 11_000)
    expect(await second.open(0)).toEqual({ path })
    first.signal('SIGCONT')
    expect(await first.write('not-stored')).toMatchObject(LOCKED)
    await second.write('b')
    expect(texts()).toEqual(['a', 'b'])
    await second.close()
    expect(await first.write('c')).toEqual({ path })
    expect(texts()).toEqual(['a', 'b', 'c'])
  })
})

describe('many processes that take over a dead lock at once', () => {
  it('are all refused but one', async () => {
    const { path, directory, texts } = place()
    const dead = await deadLock(path)
    const holders = await Promise.all(Array.from({ length: 5 }, () => Holder.start(path)))
    for (let round = 0; round < ROUNDS; round++) {
      writeFileSync(`${path}.lock`, dead)
      const said = await Promise.all(holders.map((holder) => holder.open()))
      const winners = holders.filter((_, index) => said[index]?.path !== undefined)
      expect(winners).toHaveLength(1)
      expect(said.filter(({ code }) => code === LOCKED.code)).toHaveLength(4)
      await winners[0]?.write(String(round))
      await winners[0]?.close()
    }
    expect(texts()).toEqual(Array.from({ length: ROUNDS }, (_, round) => String(round)))
    expect(readdirSync(directory)).toEqual(['audit.log'])
  })

  it('keep no other out when one of them is killed in the middle of it', async () => {
    const { path, texts } = place()
    const dead = await deadLock(path)
    const start = (): Promise<Holder> => Holder.start(path)
    const holders = await Promise.all(Array.from({ length: 3 }, start))
    const spares = Array.from({ length: 3 }, start)
    for (const [round, spare] of spares.entries()) {
      writeFileSync(`${path}.lock`, dead)
      const [victim, ...others] = holders
      const opening = holders.map((holder) => holder.open())
      // A different step of the taking over each time.
      for (let turn = 0; turn < round * 8; turn++) await new Promise((resolve) => setImmediate(resolve))
      await victim?.kill()
      await Promise.all(opening)
      for (const holder of others) await holder.close()
      const next = await spare
      expect(await next.open()).toEqual({ path })
      await next.write(String(round))
      await next.close()
      holders.splice(0, 1, next)
    }
    expect(texts()).toEqual(spares.map((_, round) => String(round)))
  })
})

/** The lock of a process that was killed. */
async function deadLock(path: string): Promise<string> {
  const holder = await Holder.start(path)
  await holder.open()
  const lock = readFileSync(`${path}.lock`, 'utf8')
  await holder.kill()
  return lock
}
