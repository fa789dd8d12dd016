import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import audit from '../../src/index.js'
import { parseDuration, parseSize } from '../../src/units.js'
import { codeBlocks, read } from '../support/markdown.js'
import { parseYaml, type Yaml } from '../support/yaml.js'

const FOLDER = 'examples/collectors'

/** What is at a path of keys and indexes. */
function at(value: Yaml, ...path: Array<string | number>): Yaml {
  let found: Yaml | undefined = value
  for (const key of path) {
    found = typeof found === 'object' && found !== null ? Reflect.get(found, key) : undefined
    if (found === undefined) throw new Error(`there is no ${path.join('.')}`)
  }
  return found
}

function list(value: Yaml): Yaml[] {
  if (!Array.isArray(value)) throw new Error(`${JSON.stringify(value)} is no list`)
  return value
}

/** The milliseconds until the lock of a killed container is taken over, whatever `lockTimeout` says. */
const LOCK_OF_THE_DEAD = 10_000

function keysOf(value: Yaml): string[] {
  return Object.keys(Object(value))
}

it('are the files that the page on operations lists', () => {
  const listed = [...read('docs/operations.md').matchAll(/\]\(\.\.\/examples\/collectors\/(\S+)\)/g)]
  expect(listed.map(([, name]) => name).sort()).toEqual(readdirSync(FOLDER).sort())
  expect(JSON.parse(read('package.json')).files).toContain(FOLDER)
})

describe('kubernetes.yaml', () => {
  const pod = at(parseYaml(read(`${FOLDER}/kubernetes.yaml`)), 'spec', 'template', 'spec')
  const server = at(pod, 'containers', 0)
  const sidecar = at(pod, 'initContainers', 0)
  /** The server that the page shows beside it. */
  const shown = codeBlocks('docs/operations.md').find(({ text }) => text.includes('/ready'))?.text ?? ''
  const option = (name: string): string => new RegExp(`\\b${name}: '?([^',]+)`).exec(shown)?.[1] ?? ''

  it('gives the server the time to close, and the sidecar the time to follow', () => {
    const [, drain] = list(at(server, 'lifecycle', 'preStop', 'exec', 'command'))
    const closing = parseDuration(option('closeTimeout')) / 1000
    expect(closing).toBeGreaterThan(0)
    expect(at(pod, 'terminationGracePeriodSeconds')).toBeGreaterThanOrEqual(Number(drain) + closing + 10)
    expect(at(sidecar, 'restartPolicy')).toBe('Always')
  })

  it('asks of the routes that the server has, and of readiness alone whether the audit works', () => {
    for (const [probe, path] of [
      ['startupProbe', '/live'],
      ['livenessProbe', '/live'],
      ['readinessProbe', '/ready'],
    ] as const) {
      expect(at(server, probe, 'httpGet', 'path')).toBe(path)
      expect(shown).toContain(`app.get('${path}', { config: { audit: false } }`)
    }
    const start =
      Number(at(server, 'startupProbe', 'periodSeconds')) * Number(at(server, 'startupProbe', 'failureThreshold'))
    expect(start * 1000).toBeGreaterThan(LOCK_OF_THE_DEAD + parseDuration('8s'))
  })

  it('has room for all the files that the server keeps', () => {
    const kept = parseSize(option('rotateBytes')) * (Number(option('rotateMaxFiles')) + 1)
    expect(parseSize(`${at(pod, 'volumes', 0, 'emptyDir', 'sizeLimit')}B`)).toBeGreaterThan(kept)
  })

  it('says of the server what the page shows', () => {
    const said = /registers the plugin with\n# {3}(.*)\n/.exec(read(`${FOLDER}/kubernetes.yaml`))?.[1] ?? ''
    const options = [...said.matchAll(/(\w+): '?([^',]+)/g)].map(([, name = '', value]) => [name, value])
    expect(options).toHaveLength(4)
    expect(options).toEqual(options.map(([name = '']) => [name, option(name)]))
  })

  it('runs as nobody in particular, who may write the file in the one container and read it in the other', () => {
    expect(at(pod, 'securityContext', 'runAsNonRoot')).toBe(true)
    expect(at(pod, 'automountServiceAccountToken')).toBe(false)
    for (const container of [server, sidecar]) {
      expect(at(container, 'securityContext')).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
    }
    expect(at(server, 'volumeMounts')).toEqual([{ name: 'audit', mountPath: '/var/audit' }])
    expect(at(sidecar, 'volumeMounts')).toEqual([{ name: 'audit', mountPath: '/var/audit', readOnly: true }])
  })

  it('has a sidecar that repeats every line once, through rotations, and the last ones when it is told to end', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'audit-sidecar-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'audit.log')
    const app = Fastify()
    await app.register(audit, { sinks: [{ name: 'audit', type: 'file', path, rotateBytes: 30_000 }] })
    app.get('/', async () => 'hello')
    await app.ready()
    const [, , script] = list(at(sidecar, 'command'))
    const { child, numbers } = follow(String(script).replace('/var/audit/$(hostname).log', path))
    const offered = (): number => app.audit.stats().sinks.audit?.offered ?? 0

    for (let round = 0; round < 6; round++) {
      // Less than a file, so that none is rotated twice behind the back of a slow machine's tail.
      for (let count = 0; count < 15; count++) await app.inject('/')
      await expect.poll(() => numbers().length).toBe(offered())
    }
    await app.close()
    const closed = once(child, 'close')
    child.kill('SIGTERM')
    await closed
    expect(numbers()).toEqual(Array.from({ length: offered() }, (_, index) => index + 1))
    expect(readdirSync(folder).length).toBeGreaterThan(3)
  })
})

/** Runs the sidecar's script until the test is over; the `seq` of the lines that it has printed so far. */
function follow(script: string): { child: ChildProcess; numbers: () => number[] } {
  const child = spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'], detached: true })
  onTestFinished(() => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  })
  let printed = ''
  child.stdout.on('data', (data) => {
    printed += data
  })
  const lines = (): string[] => printed.split('\n').slice(0, -1)
  return { child, numbers: () => lines().map((line) => JSON.parse(line).seq) }
}

/** Where each collector puts an entry, and the index template has it. */
const KEY = 'audit'

/** The options of each collector that are used here, as they stand in its own documentation. */
const TAIL = `name tag parser path db db.sync read_from_head refresh_interval rotate_wait buffer_chunk_size buffer_max_size
  skip_long_lines`
const ES = 'name match host port tls index suppress_type_name generate_id write_operation retry_limit trace_error'
const NEST = 'name match operation wildcard nest_under'
const FILESTREAM = `type id paths file_identity.fingerprint prospector.scanner.fingerprint
  prospector.scanner.check_interval close.on_state_change.renamed parsers`

function words(text: string): string[] {
  return text.split(/\s+/)
}

describe('fluent-bit.yaml', () => {
  const config = parseYaml(read(`${FOLDER}/fluent-bit.yaml`))
  const input = at(config, 'pipeline', 'inputs', 0)
  const filter = at(config, 'pipeline', 'filters', 0)
  const output = at(config, 'pipeline', 'outputs', 0)

  it('has options that exist, and parts that go together', () => {
    expect(keysOf(config)).toEqual(['service', 'parsers', 'pipeline'])
    expect(keysOf(input)).toEqual(words(TAIL))
    expect(keysOf(output)).toEqual(words(ES))
    expect(keysOf(filter)).toEqual(words(NEST))
    expect(at(filter, 'nest_under')).toBe(KEY)
    expect(keysOf(at(config, 'parsers', 0))).toEqual(['name', 'format', 'time_key', 'time_format', 'time_keep'])
    expect(at(config, 'parsers', 0, 'name')).toBe(at(input, 'parser'))
    expect([at(filter, 'match'), at(output, 'match')]).toEqual([at(input, 'tag'), at(input, 'tag')])
  })

  it('makes an id of the entry, and reads the archives, too', () => {
    expect(at(output, 'generate_id')).toBe(true)
    expect(at(input, 'path')).toBe('/var/audit/*.log')
  })
})

describe('filebeat.yaml', () => {
  const config = parseYaml(read(`${FOLDER}/filebeat.yaml`))
  const input = at(config, 'filebeat.inputs', 0)

  it('has options that exist', () => {
    expect(keysOf(config)).toEqual([
      'filebeat.inputs',
      'processors',
      'setup.ilm.enabled',
      'setup.template',
      'output.elasticsearch',
    ])
    expect(keysOf(input)).toEqual(words(FILESTREAM))
    expect(keysOf(at(input, 'parsers', 0, 'ndjson'))).toEqual(['target', 'add_error_key'])
  })

  it('makes an id of the instance and the number, and reads the archives, too', () => {
    const target = at(input, 'parsers', 0, 'ndjson', 'target')
    expect(at(config, 'processors', 0, 'fingerprint')).toEqual({
      fields: [`${target}.instance`, `${target}.seq`],
      target_field: '@metadata._id',
      ignore_missing: false,
    })
    expect(at(input, 'paths')).toEqual(['/var/audit/*.log'])
  })
})

describe('logstash.conf', () => {
  const text = read(`${FOLDER}/logstash.conf`)

  it('is made of blocks and settings alone, and closes each block', () => {
    let depth = 0
    for (const line of text.split('\n').map((one) => one.trim())) {
      if (line === '' || line.startsWith('#')) continue
      if (line === '}') depth--
      else if (/^\w+ \{$/.test(line)) depth++
      else
        expect(line).toMatch(/^\w+ => (?:"[^"]*"|\d+|true|\[(?:"[^"]*"(?:, )?)+\]|json \{ target => "\[audit\]" \})$/)
      expect(depth).toBeGreaterThanOrEqual(0)
    }
    expect(depth).toBe(0)
    const settings = [...text.matchAll(/^ +(\w+) =>/gm)].map(([, name]) => name)
    expect(settings).toEqual(
      words(`path mode start_position sincedb_path sincedb_clean_after codec match hosts index template template_name
        template_overwrite document_id action`),
    )
  })

  it('makes an id of the instance and the number, and reads the archives, too', () => {
    expect(text).toContain('document_id => "%{[audit][instance]}-%{[audit][seq]}"')
    expect(text).toContain('path => ["/var/audit/*.log"]')
  })
})

describe('the YAML that the tests read', () => {
  it.each([
    ['a: 1\na: 2', 'twice'],
    ['a:\n  b: 1\n c: 2', 'indented'],
    ['a: b: c', 'does not know'],
    ['a: *b', 'does not know'],
    ['a: yes', 'does not know'],
    ['a: >\n  b', 'does not know'],
    ['- a\n-b', 'indented'],
    ['a:\tb', 'tab'],
    ['just text', 'no key'],
  ])('is refused where it is not plain: %j', (text, reason) => {
    expect(() => parseYaml(text)).toThrow(reason)
  })
})
