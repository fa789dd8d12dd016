import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import {
  LEVEL_NAMES,
  type Level,
  type LevelOption,
  METADATA,
  NONE,
  REQUEST,
  RESPONSE,
  toLevel,
} from '../../src/event/level.js'
import { NO_FACTS } from '../../src/policy/facts.js'
import { compileGlob, expandBraces, PatternError } from '../../src/policy/glob.js'
import { canonicalPath, type RouterFolding, rawPath } from '../../src/policy/path.js'
import { compileRules, type Decision, type RuleOptions, ruleWarnings } from '../../src/policy/rules.js'
import { foldsAll, plain } from '../support/folding.js'
import { runs } from '../support/runs.js'

interface Asked {
  operation: string
  url: string
  route: string | undefined
  namespace: string | undefined
  actor: string | undefined
}

/** The definition, word by word: the first rule that matches, for each spelling of the path, then the two together. */
function naive(rules: readonly RuleOptions[], level: Level, folding: RouterFolding, asked: Asked): Decision {
  const fold = (text: string) => (folding.caseSensitive ? text : text.toLowerCase())
  const meets = (list: readonly string[] | undefined, text: string | undefined) =>
    list === undefined ||
    (text !== undefined && list.flatMap(expandBraces).some((pattern) => compileGlob(pattern)(text)))
  const decide = (path: string): Decision => {
    const rule = rules.findIndex(
      ({ routes, endpoints, operations, namespaces, actors }) =>
        meets(routes, asked.route) &&
        meets(endpoints?.map(fold), path) &&
        meets(operations, asked.operation) &&
        meets(namespaces, asked.namespace) &&
        meets(actors, asked.actor),
    )
    return { rule, level: toLevel(rules[rule]?.level ?? level) }
  }
  const sent = decide(fold(rawPath(asked.url, folding)))
  const read = decide(canonicalPath(asked.url, folding))
  if (sent.level === read.level) return read
  if (sent.level === NONE || read.level === NONE) return sent.level === NONE ? read : sent
  return sent.level < read.level ? sent : read
}

const patterns = (...all: string[]) =>
  fc.option(fc.array(fc.constantFrom(...all), { maxLength: 2 }), { nil: undefined, freq: 2 })

const anyRule: fc.Arbitrary<RuleOptions> = fc.record({
  routes: patterns('*', '/a', '/a/:id', '/{a,b}*', '*:id*'),
  endpoints: patterns('*', '**', '/a', '/A', '/a/*', '/*/b', '*b*', '/{a,b}', '*/', '/%2Fa', '/%61*'),
  operations: patterns('*', '**', 'GET', '{GET,HEAD}', 'P*', '*T'),
  namespaces: patterns('*', 'default', 'prod-*', '{dev,default}', ''),
  actors: patterns('*', 'anonymous', 'u*', '{u1,u2}'),
  level: fc.constantFrom<LevelOption>('none', 'metadata', 'request', 'response', 0, 1, 2, 3),
})
const anyAsked: fc.Arbitrary<Asked> = fc.record({
  operation: fc.constantFrom('GET', 'GET', 'HEAD', 'POST', 'PATCH', 'DELETE'),
  url: fc.oneof(
    fc
      .string({ unit: fc.constantFrom('a', 'b', 'A', '/', '%61', '%2F', '?', ';'), maxLength: 6 })
      .map((path) => `/${path}`),
    fc.constantFrom('/', '/a', '/a/b', '/%61', '/%61/b', '*', 'http://a/b', 'http://b/a/b', '/a?b'),
  ),
  route: fc.constantFrom(undefined, '/a', '/a/:id', '/b'),
  namespace: fc.constantFrom('default', 'prod-1', ''),
  actor: fc.constantFrom('anonymous', 'u1', 'u2', 'U1'),
})

function decide(rules: RuleOptions[], url: string, level: Level = METADATA, folding = plain): Level {
  return compileRules(rules, level, folding).decide('GET', url, undefined, { ...NO_FACTS, namespace: 'default' })
}

describe('compileRules', () => {
  it('decides what the definition decides, whatever the rules, their order and the level', () => {
    const seen = new Set<Level>()
    let splits = 0
    fc.assert(
      fc.property(
        fc.array(anyRule, { maxLength: 4 }),
        fc.constantFrom<Level>(NONE, METADATA, REQUEST, RESPONSE),
        fc.constantFrom(plain, foldsAll),
        fc.array(anyAsked, { minLength: 1, maxLength: 4 }),
        (rules, level, folding, requests) => {
          const compiled = compileRules(rules, level, folding)
          for (const asked of requests) {
            const { operation, url, route, namespace, actor } = asked
            const facts = { ...NO_FACTS, namespace, actor }
            const expected = naive(rules, level, folding, asked)
            expect(compiled.explain(operation, url, route, facts)).toEqual(expected)
            expect(compiled.decide(operation, url, route, facts)).toBe(expected.level)
            seen.add(expected.level)
            if (rawPath(url, folding) !== canonicalPath(url, folding)) splits++
          }
        },
      ),
      { numRuns: runs(300) },
    )
    expect(seen.size).toBe(LEVEL_NAMES.length)
    expect(splits).toBeGreaterThan(5)
  })

  it('is the default level without rules', () => {
    const rules = compileRules([], REQUEST, plain)
    expect(rules.needsNamespace).toBe(false)
    expect(rules.decide('GET', '/', undefined, undefined)).toBe(REQUEST)
    expect(rules.explain('GET', '/', undefined, undefined)).toEqual({ level: REQUEST, rule: -1 })
  })

  it('has the first of several rules decide, and the default level where none matches', () => {
    const rules: RuleOptions[] = [
      { endpoints: ['/v1/secrets/*'], level: 'metadata' },
      { endpoints: ['/v1/*'], level: 'response' },
    ]
    expect(decide(rules, '/v1/secrets/7', REQUEST)).toBe(METADATA)
    expect(decide(rules, '/v1/jobs', REQUEST)).toBe(RESPONSE)
    expect(decide(rules, '/v2/jobs', REQUEST)).toBe(REQUEST)
  })

  it('records what rules allow, and nothing else, over level none', () => {
    const rules: RuleOptions[] = [{ endpoints: ['/v1/*'], operations: ['{POST,DELETE}'], level: 'request' }]
    const compiled = compileRules(rules, NONE, plain)
    expect(compiled.decide('POST', '/v1/jobs', undefined, undefined)).toBe(REQUEST)
    expect(compiled.decide('GET', '/v1/jobs', undefined, undefined)).toBe(NONE)
    expect(compiled.decide('POST', '/health', undefined, undefined)).toBe(NONE)
  })

  it('takes a route parameter in a pattern of routes for what it is, and a 404 for no route at all', () => {
    const secret = compileRules([{ routes: ['/v1/secrets/:id'], level: 'none' }], METADATA, plain)
    expect(secret.decide('GET', '/v1/secrets/7', '/v1/secrets/:id', undefined)).toBe(NONE)
    expect(secret.decide('GET', '/v1/secrets/7', '/v1/secrets/:name', undefined)).toBe(METADATA)
    const all = compileRules([{ routes: ['*'], level: 'response' }], METADATA, plain)
    expect(all.decide('GET', '/', '/', undefined)).toBe(RESPONSE)
    expect(all.decide('GET', '/', undefined, undefined)).toBe(METADATA)
  })

  it('asks for the namespace only where a rule tells namespaces apart', () => {
    expect(compileRules([{ namespaces: ['prod'], level: 'none' }], METADATA, plain).needsNamespace).toBe(true)
    expect(compileRules([{ namespaces: ['*'], level: 'none' }], METADATA, plain).needsNamespace).toBe(false)
    expect(compileRules([{ level: 'none' }], METADATA, plain).needsNamespace).toBe(false)
  })

  it('does not look at the path where no rule for the method has endpoints', () => {
    const rules: RuleOptions[] = [
      { routes: ['/v1/*'], endpoints: ['*'], level: 'request' },
      { endpoints: ['/x'], operations: ['PUT'], level: 'none' },
    ]
    const compiled = compileRules(rules, METADATA, plain)
    const look = vi.spyOn(String.prototype, 'charCodeAt')
    const levels = [
      compiled.decide('GET', '/v1/jobs', '/v1/jobs', undefined),
      compiled.decide('GET', '/x', undefined, undefined),
    ]
    const looks = look.mock.calls.length
    look.mockRestore()
    expect(levels).toEqual([REQUEST, METADATA])
    expect(looks).toBe(0)
  })

  it('has a method that Node does not know meet only the rules for every method', () => {
    const rules = compileRules([{ operations: ['P*', 'GET'], level: 'none' }, { level: 'request' }], METADATA, plain)
    for (const method of ['PWN', '__proto__', 'constructor', '']) {
      expect(rules.explain(method, '/', undefined, undefined)).toEqual({ level: REQUEST, rule: 1 })
    }
  })

  it('throws a PatternError for braces that are not sound', () => {
    for (const list of ['routes', 'endpoints', 'operations', 'namespaces']) {
      expect(() => compileRules([{ [list]: ['{a}'], level: 'none' }], METADATA, plain)).toThrow(PatternError)
    }
  })
})

describe('no spelling of a URL', () => {
  const spellings = ['/v1/%73ecrets/7', 'http://h/v1/secrets/7', 'HTTP://h:1/%761/%73ecrets/7', '/v1/secret%73/7?x=/']

  it.each(spellings)('has more of a protected route captured: %s', (url) => {
    expect(decide([{ endpoints: ['/v1/secrets/*'], level: 'metadata' }], url, RESPONSE)).toBe(METADATA)
  })

  it.each(spellings)('takes a request out of the trail: %s', (url) => {
    expect(decide([{ endpoints: ['/v1/secrets/*'], level: 'none' }], url)).toBe(METADATA)
    expect(decide([{ endpoints: ['/v1/secrets/*'], level: 'metadata' }, { level: 'none' }], url)).toBe(METADATA)
    expect(decide([{ endpoints: ['/v1/secrets/*'], level: 'response' }], url, NONE)).toBe(RESPONSE)
    expect(decide([{ endpoints: ['*%73*', 'http*', 'HTTP*'], level: 'none' }], url)).toBe(METADATA)
  })

  it('is ruled out by another path in its query or its authority', () => {
    const rules: RuleOptions[] = [{ endpoints: ['*/health', '/health*'], level: 'none' }]
    for (const url of ['/v1/secrets/7?x=/health', 'http://health/v1/secrets/7', '/v1/secrets/7#/health']) {
      expect(decide(rules, url)).toBe(METADATA)
    }
  })

  it('escapes a rule by case or slashes where the router ignores them', () => {
    const rules: RuleOptions[] = [{ endpoints: ['/V1/secrets'], level: 'metadata' }]
    for (const url of ['/v1/SECRETS', '//v1//secrets', '/v1/secrets/', '/v1/secrets;x']) {
      expect(decide(rules, url, RESPONSE, foldsAll)).toBe(METADATA)
      expect(decide(rules, url, RESPONSE, plain)).toBe(RESPONSE)
    }
  })
})

describe('ruleWarnings', () => {
  const warn = (rules: RuleOptions[], folding = plain) => ruleWarnings(rules, folding)

  it('says nothing of rules that can each decide something', () => {
    const rules: RuleOptions[] = [
      { routes: ['*'], level: 'response' },
      { routes: ['/v1/secrets/:id'], endpoints: ['/v1/*'], operations: ['{GET,HEAD}'], namespaces: ['x'], level: 1 },
      { endpoints: ['*'], operations: ['**'], level: 'none' },
    ]
    expect(warn(rules)).toEqual([])
    expect(warn([])).toEqual([])
  })

  it.each<[RuleOptions, string]>([
    [{ endpoints: ['/v1?x'], level: 1 }, 'endpoint "/v1?x" never matches a path both as it is sent and as it is read'],
    [{ endpoints: ['/{ok,a%20b}'], level: 1 }, 'endpoint "/a%20b" never matches'],
    [{ operations: ['FETCH'], level: 1 }, 'operation "FETCH" matches no HTTP method'],
    [{ routes: ['v1/secrets'], level: 1 }, 'route "v1/secrets" matches no route: its pattern begins with "/"'],
  ])('names the rule of a pattern that matches nothing', (rule, expected) => {
    expect(warn([{ ...rule, name: 'odd' }])).toEqual([expect.stringContaining(`Rule "odd": ${expected}`)])
    expect(warn([{ routes: ['/fine'], level: 1 }, rule])).toEqual([expect.stringContaining(`Rule 2: ${expected}`)])
  })

  it('names each rule that stands after one for every request', () => {
    const rules: RuleOptions[] = [
      { routes: ['/a'], level: 'none' },
      { name: 'all', endpoints: ['/x', '*'], level: 'metadata' },
      { routes: ['/b'], level: 'none' },
      { level: 'request' },
    ]
    expect(warn(rules)).toEqual([
      'Rule 3: decides nothing: it stands after Rule "all", which matches every request; put it before that one',
      'Rule 4: decides nothing: it stands after Rule "all", which matches every request; put it before that one',
    ])
  })
})
