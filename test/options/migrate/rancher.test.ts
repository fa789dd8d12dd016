import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { optionsFromRancherEnv } from '../../../src/options/migrate/rancher.js'
import { parseOptions, type ResolvedSink } from '../../../src/options/parse.js'
import { codeBlocks } from '../../support/markdown.js'
import { linesOf, mistakesIn } from './settings.js'

type Env = Record<string, string | undefined>

/** What the plugin makes of the one sink. */
function fileOf(env: Env): ResolvedSink & { type: 'file' } {
  const [sink] = parseOptions(optionsFromRancherEnv({ AUDIT_LEVEL: '1', ...env })).sinks
  if (sink?.type !== 'file') throw new Error('It is not a file sink.')
  return sink
}

function mistakes(env: Env): string[] {
  return linesOf(() => optionsFromRancherEnv(env))
}

describe('the environment of Rancher', () => {
  it('stands for the options that Rancher writes its audit log by', () => {
    expect(optionsFromRancherEnv({ AUDIT_LEVEL: '3' })).toEqual({
      level: 'response',
      sinks: [
        {
          name: 'audit',
          type: 'file',
          format: 'rancher',
          path: '/var/log/auditlog/rancher-api-audit.log',
          rotateBytes: '100MiB',
          rotateDuration: 0,
          rotateMaxFiles: 10,
          rotateMaxAge: '240h',
        },
      ],
    })
  })

  it('that the documentation shows stands for the options beside it', () => {
    const [block] = codeBlocks('docs/migrating.md').filter(({ language }) => language === 'sh')
    const env = Object.fromEntries(
      [...(block?.text ?? '').matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
    )
    const [sink] = optionsFromRancherEnv({ AUDIT_LEVEL: '1' }).sinks ?? []
    expect(optionsFromRancherEnv(env)).toEqual({
      level: 'request',
      sinks: [{ ...sink, rotateBytes: '50MiB', rotateMaxFiles: 20, rotateMaxAge: '720h' }],
    })
  })

  it('is enforced, which Rancher has no word for', () => {
    expect(parseOptions(optionsFromRancherEnv({ AUDIT_LEVEL: '1' })).sinks[0]?.deliveryGuarantee).toBe('enforced')
  })

  it.each([
    ['1', 'metadata'],
    ['2', 'request'],
    ['3', 'response'],
  ])('level %s is %s', (AUDIT_LEVEL, level) => {
    expect(optionsFromRancherEnv({ AUDIT_LEVEL }).level).toBe(level)
  })

  it.each([{}, { AUDIT_LEVEL: undefined }, { AUDIT_LEVEL: '0' }, { HOME: '/home', AUDIT_LOG_MAXAGE: '5' }])(
    'of %j has no audit log',
    (env) => {
      expect(optionsFromRancherEnv(env)).toEqual({ enabled: false })
    },
  )

  it('says how long and how many old files are kept, and how large a file gets', () => {
    const file = fileOf({ AUDIT_LOG_MAXAGE: '30', AUDIT_LOG_MAXBACKUP: '7', AUDIT_LOG_MAXSIZE: '5' })
    expect(file).toMatchObject({
      rotateBytes: 5 * 1024 * 1024,
      rotateDuration: 0,
      rotateMaxFiles: 7,
      rotateMaxAge: 30 * 24 * 3_600_000,
    })
    expect(fileOf({ AUDIT_LOG_MAXSIZE: '5M' }).rotateBytes).toBe(5 * 1024 * 1024)
  })

  it('keeps every file for 0, and takes a size of 0 for 100 MiB, as its writer does', () => {
    expect(fileOf({ AUDIT_LOG_MAXAGE: '0', AUDIT_LOG_MAXBACKUP: '0' })).toMatchObject({
      rotateMaxAge: 0,
      rotateMaxFiles: 0,
    })
    expect(fileOf({ AUDIT_LOG_MAXSIZE: '0' }).rotateBytes).toBe(100 * 1024 * 1024)
    expect(fileOf({ AUDIT_LOG_MAXSIZE: '0M' }).rotateBytes).toBe(100 * 1024 * 1024)
  })
})

describe('a value that cannot be honoured', () => {
  it.each(['', ' ', '4', '10', '-1', '+1', '01', '1.0', '1e0', '0x1', 'metadata', ' 1', '1\n'])(
    'is refused as a level: %j',
    (AUDIT_LEVEL) => {
      expect(mistakes({ AUDIT_LEVEL })).toEqual([expect.stringMatching(/^- AUDIT_LEVEL: ".*" is .*; .*[12]/)])
    },
  )

  it.each(['AUDIT_LOG_MAXAGE', 'AUDIT_LOG_MAXBACKUP', 'AUDIT_LOG_MAXSIZE'])('is refused as %s', (name) => {
    const wrong = ['', ' ', '+5', '-1', '1e3', '010', '5.5', '0x10', ' 5', '5 ', '5d', 'ten', '1_000', '9999999999']
    for (const value of [...wrong, '5\n', '５', '100MB', '100m', '100 M', 'M', '1'.repeat(1000)]) {
      expect(mistakes({ [name]: value }), value).toEqual([
        expect.stringMatching(new RegExp(`^- ${name}: ".*" is .*; `)),
      ])
    }
  })

  it('is refused as days or files when it has the unit of a size', () => {
    expect(mistakes({ AUDIT_LOG_MAXAGE: '10M', AUDIT_LOG_MAXBACKUP: '10M' })).toHaveLength(2)
  })

  it('is refused when it is longer than any duration', () => {
    expect(fileOf({ AUDIT_LOG_MAXAGE: '106751' }).rotateMaxAge).toBe(106_751 * 24 * 3_600_000)
    expect(mistakes({ AUDIT_LOG_MAXAGE: '106752' })).toEqual([expect.stringContaining('is more than 292 years; ')])
  })

  it('is refused with every other at once, also when there is to be no audit log', () => {
    expect(
      mistakes({ AUDIT_LEVEL: '0', AUDIT_LOG_PATH: '', AUDIT_LOG_MAXAGE: '10 days', AUDIT_LOG_MAXSIZE: '1GB' }),
    ).toEqual([
      '- AUDIT_LOG_PATH: "" is empty, and with it Rancher records nothing; unset it for the default, or write a path',
      '- AUDIT_LOG_MAXAGE: "10 days" is not a whole number in at most nine digits and nothing else; write the days that ' +
        'old files are kept, such as 10, or 0 to keep them for ever',
      '- AUDIT_LOG_MAXSIZE: "1GB" is not a whole number in at most nine digits and nothing else; write the size in MiB, ' +
        'such as 100 or 100M',
    ])
  })

  it('is a code of its own, and a list', () => {
    expect(() => optionsFromRancherEnv({ AUDIT_LEVEL: 'x' })).toThrow(
      expect.objectContaining({
        code: 'FST_AUDIT_INVALID_SETTINGS',
        message: expect.stringMatching(
          /^The settings of Rancher's audit log cannot be taken over:\n- AUDIT_LEVEL: "x"/,
        ),
        mistakes: [{ path: 'AUDIT_LEVEL', value: '"x"', message: 'is not a level; write 0 (off), 1, 2 or 3' }],
      }),
    )
  })

  it('is anything but a string, from JavaScript', () => {
    const env = JSON.parse('{"AUDIT_LEVEL":1,"AUDIT_LOG_MAXAGE":null}')
    expect(mistakes(env)).toEqual([
      "- AUDIT_LEVEL: 1 is not a string; write it as in an environment, such as '1'",
      "- AUDIT_LOG_MAXAGE: null is not a string; write it as in an environment, such as '10'",
    ])
    expect(mistakes(JSON.parse('null'))[0]).toContain('hand in `process.env`')
  })
})

describe('the settings of Rancher 2.12 and later', () => {
  it.each(['true', 'false', ''])(
    'are told by AUDIT_LOG_ENABLED=%s, and refused with what the levels meant',
    (value) => {
      const [line, ...others] = mistakes({ AUDIT_LEVEL: '1', AUDIT_LOG_ENABLED: value })
      expect(others).toEqual([])
      expect(line).toMatch(/^- AUDIT_LOG_ENABLED: ".*" is a setting of Rancher 2\.12 and later, whose levels mean /)
      expect(line).toMatch(
        /unset it, and set AUDIT_LEVEL as before 2\.12: 0 off, 1 metadata, .* 3 response bodies too$/,
      )
    },
  )
})

describe('the name of a setting', () => {
  it.each([
    ['AUDIT_LOG_MAX_AGE', 'AUDIT_LOG_MAXAGE'],
    ['AUDIT_LOG_MAXBACKUPS', 'AUDIT_LOG_MAXBACKUP'],
    ['AUDIT_LOG_MAXSIEZ', 'AUDIT_LOG_MAXSIZE'],
    ['audit_level', 'AUDIT_LEVEL'],
  ])('%s is refused: %s is meant', (name, meant) => {
    expect(mistakes({ [name]: '5' })).toEqual([
      `- ${name}: "5" is not a setting of Rancher; did you mean \`${meant}\`?`,
    ])
  })

  it('is no other that happens to be in the environment, such as those that Kubernetes makes of a service', () => {
    const env = { AUDIT_LOG_SERVICE_HOST: 'h', AUDIT_LOG_PORT: 'tcp://10.0.0.1:80', AUDIT_DB: 'x', MAXAGE: '?', A: 'b' }
    expect(optionsFromRancherEnv(env)).toEqual({ enabled: false })
  })
})

describe('the path', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rancher-env-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('is taken as it is when it is a file, there or not', () => {
    expect(fileOf({ AUDIT_LOG_PATH: join(folder, 'a', 'b.log') }).path).toBe(join(folder, 'a', 'b.log'))
    writeFileSync(join(folder, 'there'), '')
    expect(fileOf({ AUDIT_LOG_PATH: join(folder, 'there') }).path).toBe(join(folder, 'there'))
    expect(fileOf({ AUDIT_LOG_PATH: join(folder, 'there', 'x') }).path).toBe(join(folder, 'there', 'x'))
  })

  it("gets Rancher's file name when it is a directory, by its end or by what is there", () => {
    const file = 'rancher-api-audit.log'
    mkdirSync(join(folder, 'dir'))
    symlinkSync(join(folder, 'dir'), join(folder, 'link'))
    expect(fileOf({ AUDIT_LOG_PATH: '/my/custom/path/' }).path).toBe(`/my/custom/path/${file}`)
    expect(fileOf({ AUDIT_LOG_PATH: join(folder, 'dir') }).path).toBe(join(folder, 'dir', file))
    expect(fileOf({ AUDIT_LOG_PATH: join(folder, 'link') }).path).toBe(join(folder, 'link', file))
    expect(fileOf({ AUDIT_LOG_PATH: `${folder}/dir/..` }).path).toBe(join(folder, file))
    expect(fileOf({ AUDIT_LOG_PATH: '.' }).path).toBe(join(process.cwd(), file))
    expect(fileOf({ AUDIT_LOG_PATH: '/var/log/{slot}/' }).path).toBe(`/var/log/{slot}/${file}`)
  })

  it.each(['', ' /var/log/a.log', '/var/log/a.log\n', '/var/log/{pod}.log', '/var/\0/a.log', ' '])(
    'is refused: %j',
    (AUDIT_LOG_PATH) => {
      expect(mistakesIn(() => optionsFromRancherEnv({ AUDIT_LEVEL: '1', AUDIT_LOG_PATH }))).toEqual([
        { path: 'AUDIT_LOG_PATH', value: JSON.stringify(AUDIT_LOG_PATH), message: expect.stringContaining(';') },
      ])
    },
  )
})

describe('any environment', () => {
  const number = fc.oneof(
    fc.nat(200_000).map(String),
    fc.nat().map((n) => `${n}M`),
    fc.string({ maxLength: 8 }),
  )

  it('gives options that the plugin takes, or an error that says what is wrong', () => {
    fc.assert(
      fc.property(
        fc.record(
          {
            AUDIT_LEVEL: fc.oneof(fc.constantFrom('0', '1', '2', '3'), fc.string({ maxLength: 3 })),
            AUDIT_LOG_PATH: fc.oneof(
              fc.constantFrom('/x/y.log', '/x/', '.', 'a b', '..'),
              fc.string({ unit: 'binary' }),
            ),
            AUDIT_LOG_MAXAGE: number,
            AUDIT_LOG_MAXBACKUP: number,
            AUDIT_LOG_MAXSIZE: number,
          },
          { requiredKeys: [] },
        ),
        (env) => {
          try {
            parseOptions(optionsFromRancherEnv(env))
          } catch (error) {
            expect(error).toMatchObject({ code: 'FST_AUDIT_INVALID_SETTINGS' })
          }
        },
      ),
    )
  })
})
