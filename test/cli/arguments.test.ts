import { describe, expect, it } from 'vitest'
import { choiceOf, optionValue, parseArguments } from '../../src/cli/arguments.js'
import { hasFilters, pathsOf, queryOf } from '../../src/cli/options.js'
import { query } from '../../src/cli/query.js'

const parse = (...args: string[]) =>
  parseArguments(args, { ...query.options, lines: { short: 'n', value: 'COUNT', help: '' } })

describe('the command line', () => {
  it('has paths and options in any order, and only paths after --', () => {
    const parsed = parse('one', '--status', '403', '-n', '5', '--status=5xx', 'two', '--', '--open')
    expect(parsed.paths).toEqual(['one', 'two', '--open'])
    expect(parsed.values.get('status')).toEqual(['403', '5xx'])
    expect(optionValue(parsed, 'lines')).toBe('5')
    expect(parsed.values.has('open')).toBe(false)
  })

  it.each([
    [['--snce', '2h'], 'there is no option --snce; did you mean --since?'],
    [['--zzzzzz'], 'there is no option --zzzzzz'],
    [['--toString', 'x'], 'there is no option --toString'],
    [['-x'], 'there is no option -x'],
    [['--since'], '--since needs a value: --since TIME'],
    [['--since', '--open'], '--since needs a value: --since TIME'],
    [['-n'], '-n needs a value: -n COUNT'],
    [['--open=yes'], '--open takes no value'],
    [['--since', '1h', '--since', '2h'], '--since is given twice'],
  ])('refuses %j', (args, message) => {
    expect(() => parse(...args)).toThrow(expect.objectContaining({ name: 'UsageError', message }))
  })

  it('takes a value that begins with a dash after an equals sign', () => {
    expect(optionValue(parse('--actor=-x'), 'actor')).toBe('-x')
  })

  it('makes a query of filters', () => {
    const parsed = parse('--annotation', 'order=4=2', '--annotation', 'flag', '--actor', 'a', '--actor', 'b', '--open')
    expect(queryOf(parsed)).toMatchObject({ annotations: { order: '4=2', flag: true }, actor: ['a', 'b'], open: true })
    expect(hasFilters(parsed)).toBe(true)
    expect(hasFilters(parse('path'))).toBe(false)
    expect(queryOf(parse('path')).annotations).toBeUndefined()
    expect(() => queryOf(parse('--annotation', '=42'))).toThrow(/has no key/)
  })

  it('must name a trail, and one of the choices where there are some', () => {
    expect(() => pathsOf(parse())).toThrow(/name the trail/)
    expect(choiceOf(parse('--format', 'csv'), 'format', ['table', 'csv'])).toBe('csv')
    expect(() => choiceOf(parse('--format', 'xml'), 'format', ['table', 'csv'])).toThrow(
      '--format is xml; write table, csv',
    )
  })
})
