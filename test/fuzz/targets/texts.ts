/** Small languages: JSON, YAML, selectors, quantities, times, schedules, JSONPath, addresses. */
import { parseJson } from '../../../core/api/codec/json.ts'
import { duplicateFields } from '../../../core/api/codec/json.ts'
import { parseYamlDocuments, renderYaml } from '../../../core/api/codec/yaml.ts'
import { jsonPath } from '../../../core/api/apiextensions/jsonpath.ts'
import { patternOf } from '../../../core/api/apiextensions/structural/patterns.ts'
import { formatCheck } from '../../../core/api/apiextensions/structural/checkformats.ts'
import { scheduleError } from '../../../core/api/batch/schedule.ts'
import { canonicalMicroTime, canonicalQuantity, canonicalTime } from '../../../core/api/schema/canonical.ts'
import { compareQuantities, quantityMilli } from '../../../core/api/quantity.ts'
import { parseFieldSelector, parseLabelSelector } from '../../../core/api/selector.ts'
import { parseTime } from '../../../core/api/time.ts'
import { parseDuration } from '../../../core/lib/duration.ts'
import { parseCidr, parseIp } from '../../../core/lib/ip.ts'
import { samples } from '../../peers/cases/objects.ts'
import { textTarget, type Target } from '../target.ts'

const documents = samples.map(({ object }) => JSON.stringify(object))
const yamls = [
  ...samples.map(({ object }) => renderYaml(object)),
  'a: &a {b: 1}\nc: *a\nd:\n  <<: *a\n', '--- \na: 1\n...\n---\nb: |\n  text\n   more\nc: >-\n  folded\n', '? {a: b}\n: c\n', '"a\\u00e9": \'it\'\'s\'\n', '!!binary aGk=\n', '- - - a\n- 0o17\n- 1_000\n- 12:30:45\n- ~\n- yes\n',
]
const found = { status: { conditions: [{ type: 'Ready', status: 'True' }, { type: 'x', n: 5 }] }, spec: { a: { 'b.c': 'd' }, list: [1, 2, 3] } }
/** Wrong arguments of parsers of our own configuration are plain errors. */
const saysSo = (error: unknown): boolean => error instanceof Error && error.constructor === Error

export const texts: readonly Target[] = [
  textTarget('json', documents, (text) => {
    const parsed = parseJson(text)
    if (parsed.ok) duplicateFields(text, parsed.value)
  }),
  textTarget('yaml', yamls, (text) => {
    const parsed = parseYamlDocuments(text)
    if (parsed.ok) parsed.value.map((value) => renderYaml(value))
  }, { share: 0.7 }),
  textTarget('label selectors', ['app=web,tier in (a,b),!old', 'a!=b', 'x notin (a,,b)', 'n>5,n<7', 'example.com/a==b', 'a'], (text) => parseLabelSelector(text).matches({ app: 'web', n: '6' })),
  textTarget('field selectors', ['metadata.name=a,status.phase!=Running', 'a=b\\,c,d==e\\\\', 'spec.nodeName='], (text) => parseFieldSelector(text)),
  textTarget('quantities', ['1', '100m', '1.5Gi', '1e3', '-0.5Ki', '9223372036854775807', '1E', '12e-3', '123456789012345678901234567890.5'], (text) => {
    const canonical = canonicalQuantity(text)
    if (!canonical.ok) return
    quantityMilli(canonical.text)
    compareQuantities(canonical.text, '1')
  }),
  textTarget('times', ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.123456+02:00', '0001-01-01T00:00:00Z'], (text) => [canonicalTime(text), canonicalMicroTime(text), parseTime(text)]),
  textTarget('schedules', ['*/5 * * * *', 'TZ=Europe/Berlin 0 0 1,15 jan-mar mon', '@hourly', '@every 1h30m', '0-10/2 ? * * sun'], (text) => scheduleError(text)),
  textTarget('json paths', ['.status.conditions[?(@.type=="Ready")].status', '.spec.a[\'b.c\']', '$..list[0:2]', '.spec.list[*]', '.spec[\'a\',\'list\']', '..[?(@.n>4)]'], (text) => jsonPath(text)?.(found)),
  textTarget('patterns', ['^[a-z]+(-[a-z0-9]+)*$', '(a|b)*c{2,5}', '\\p{L}\\d\\s\\bx', '(?i:a)[[:alpha:]]', '[^\\]\\-x]'], (text) => {
    const pattern = patternOf(text)
    if (typeof pattern !== 'string') pattern('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab')
  }),
  textTarget('formats', ['2026-01-02T03:04:05Z', 'a@b.example', 'https://a.example:80/b?c#d', '10.0.0.0/8', 'fd00::1%eth0', '978-3-16-148410-0', '#ff00aa', 'P1DT2H', '550e8400-e29b-41d4-a716-446655440000', 'rgb(1,2,3)', '4111 1111 1111 1111'], (text) => {
    for (const name of ['date-time', 'date', 'email', 'uri', 'cidr', 'ipv4', 'ipv6', 'mac', 'uuid', 'isbn', 'creditcard', 'ssn', 'hexcolor', 'rgbcolor', 'byte', 'duration', 'hostname', 'bsonobjectid']) formatCheck(name)?.(text)
  }),
  textTarget('durations', ['1h30m', '1.5s', '-5ms', '100ns', '1d'], (text) => parseDuration(text), { refuses: saysSo }),
  textTarget('addresses', ['10.1.2.3', 'fd00::1', '::ffff:1.2.3.4', '10.0.0.0/8', 'fd00::/64', '1:2:3:4:5:6:7:8'], (text) => [parseIp(text), parseCidr(text)]),
]
