import { describe, expect, it } from 'vitest'
import { everything, nothing, parseFieldSelector, parseLabelSelector, selectorOf } from './selector.ts'

const labels = { app: 'web', tier: 'front', n: '5', empty: '' }

describe('parseLabelSelector()', () => {
  it.each([
    ['', true], ['app=web', true], ['app==web', true], ['app = web , tier=front', true], ['app=db', false], ['app!=db', true], ['other!=x', true],
    ['app', true], ['other', false], ['!other', true], ['! app', false], ['app in (web,db)', true], ['app in (db)', false], ['app notin (db)', true],
    ['other notin (db)', true], ['other in (db)', false], ['empty=', true], ['empty in ()', true], ['app in (,web)', true], ['n>4', true], ['n > 5', false],
    ['n<6', true], ['app>1', false], ['in in (in),notin', false], ['x.io/a!=b', true], ['app,', 'e'], ['app=web,,tier', 'e'], ['=x', 'e'], ['app=', false],
  ])('%s', (text, want) => {
    if (want === 'e') expect(() => parseLabelSelector(text)).toThrow()
    else expect(parseLabelSelector(text).matches(labels)).toBe(want)
  })

  it.each([
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['a=web)', "found ')', expected: ',' or 'end of string'"],
    ['a,', "found '', expected: identifier after ','"],
    ['(', "found '(', expected: !, identifier, or 'end of string'"],
    ['a in x', "unable to parse requirement: found 'x' expected: '('"],
    ['a in (x y)', "unable to parse requirement: found 'y', expected: ',' or ')'"],
    ['a>x', `unable to parse requirement: values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer`],
    ['-a=b', `unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with ` +
      "an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"],
    ['a=-b', `unable to parse requirement: values[0][a]: Invalid value: "-b": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', ` +
      "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"],
  ])('refuses %s', (text, want) => {
    expect(() => parseLabelSelector(text)).toThrow(want)
    try {
      parseLabelSelector(text)
    } catch (error) {
      expect((error as Error).message).toBe(want)
    }
  })

  it('writes what it reads', () => {
    for (const text of ['a=b', 'a!=b', 'a in (x,y)', 'a notin (x)', 'a', '!a', 'a=b,c>3', '']) expect(parseLabelSelector(text).toString()).toBe(text)
  })
})

describe('selectorOf()', () => {
  it('selects nothing without a selector and everything with an empty one', () => {
    expect([selectorOf(undefined).matches({}), selectorOf({}).matches({}), nothing.empty, everything.empty]).toEqual([false, true, false, true])
  })

  it('joins labels and expressions', () => {
    const selector = selectorOf({
      matchLabels: { app: 'web' },
      matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['back'] }, { key: 'n', operator: 'Exists' }, { key: 'gone', operator: 'DoesNotExist' }],
    })
    expect(selector.matches(labels)).toBe(true)
    expect(selector.matches({ ...labels, gone: '' })).toBe(false)
    expect(selector.toString()).toBe('app=web,!gone,n,tier notin (back)')
    expect(() => selectorOf({ matchExpressions: [{ key: 'a', operator: 'Like' }] })).toThrow('"Like" is not a valid label selector operator')
  })
})

describe('parseFieldSelector()', () => {
  it.each(['=', '==', ',=,', '!='])('%s asks for nothing', (text) => {
    expect(parseFieldSelector(text)).toEqual([])
  })
  it.each([
    ['metadata.name=a', ['metadata.name=a']],
    ['a==b,c!=d', ['a=b', 'c!=d']],
    ['a=x\\,y\\=z\\\\', ['a=x,y=z\\']],
    ['a=,,', ['a=']],
    ['', []],
  ])('%s', (text, want) => {
    expect(parseFieldSelector(text).map((r) => `${r.field}${r.equal ? '=' : '!='}${r.value}`)).toEqual(want)
  })

  it.each([['abc', "invalid selector: 'abc'; can't understand 'abc'"], ['a=b=c', 'invalid field selector: unescaped character in value: 61'], ['a=\\x', 'invalid field selector: invalid escape sequence: \\x']])(
    'refuses %s', (text, want) => {
      expect(() => parseFieldSelector(text)).toThrow(want)
    })
})
