/** What upstream's scheduler makes of configurations, and says of wrong ones (test/golden/scheduling/configurations.json). */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { goDuration } from '../../lib/duration.ts'
import { hasArgs } from './args.ts'
import { readSchedulerConfiguration, type SchedulerConfiguration } from './configuration.ts'
import { expand } from './points.ts'
import { argsOf, ignoredResources, profilesOf } from './profiles.ts'
import { checkSchedulerConfiguration } from './rules.ts'

interface Golden {
  readonly name: string
  readonly text: string
  readonly messages: readonly string[]
  readonly profiles?: readonly {
    readonly schedulerName: string
    readonly percentageOfNodesToScore?: number
    readonly points: Readonly<Record<string, readonly string[]>>
    readonly args?: Readonly<Record<string, unknown>>
  }[]
}

const golden = JSON.parse(readFileSync(new URL('../../../test/golden/scheduling/configurations.json', import.meta.url), 'utf8')) as readonly Golden[]
const head = 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n'

/** Upstream's plugin checks its arguments itself, and does not know where they stand. */
const withoutPlace = /initializing plugin "NodeResourcesFit": \[?(.*?)\]?$/
const place = 'profiles[0].pluginConfig[0].args.'

function problemsOf(text: string): readonly string[] {
  let config: SchedulerConfiguration
  try {
    config = readSchedulerConfiguration(text)
  } catch (error) {
    return [`decode: ${(error as Error).message}`]
  }
  const errors = checkSchedulerConfiguration(config).map((error) => error.message())
  if (errors.length > 0) return errors.toSorted()
  try {
    profilesOf(config)
    return []
  } catch (error) {
    return [`new: initializing profiles: ${(error as Error).message}`]
  }
}

/** As Go shows its own type: names in capitals, all that was not said. */
function shown(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? null : value.map(shown)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, inner]): readonly [string, unknown] => {
    if (name.endsWith('imeout')) return [capital(name), goDuration(inner as number)]
    const isTyped = name === 'addedAffinity' || (name === 'defaultConstraints' && (inner as readonly unknown[]).length > 0)
    return isTyped ? [capital(name), inner] : [capital(name), shown(inner)]
  })
  return Object.fromEntries(entries)
}

const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null).map(([name, inner]) => [name, withoutNulls(inner)]))
}

function profilesShown(text: string): unknown {
  const config = readSchedulerConfiguration(text)
  return config.profiles.map((profile) => {
    const { schedulerName, percentageOfNodesToScore, plugins } = profile
    const expanded = expand(plugins)
    const points = Object.entries(expanded).filter(([point, list]) => list.length > 0 && point !== 'placementScore').map(([point, list]) => [point, list.map(({ name, weight }) => (point === 'score' ? `${name} ${weight}` : name))] as const)
    const args = withoutNulls(Object.fromEntries(Object.entries(argsOf(profile, ignoredResources(config))).map(([name, own]) => [name, shown(own)])))
    return { schedulerName, percentageOfNodesToScore, points: Object.fromEntries(points), args }
  })
}

describe("a scheduler's configuration", () => {
  it.each(golden.filter(({ messages }) => messages.length > 0).map((one) => [one.name, one] as const))('is wrong: %s', (_, { text, messages }) => {
    const [first = ''] = messages
    const bare = withoutPlace.exec(first)?.[1]
    const ours = problemsOf(text)
    if (bare !== undefined) expect(ours.map((message) => message.replace(place, '')).toSorted().join()).toBe(bare.split(/, (?=scoringStrategy|ignored)/).toSorted().join())
    else expect(ours.map((message) => message.replace(/: it must be KubeSch.*/, ''))).toEqual(messages.map((message) => message.replace(' in scheme "pkg/runtime/scheme.go:111"', '')))
  })

  it.each(golden.filter(({ profiles }) => profiles !== undefined).map((one) => [one.name, one] as const))('means what it means upstream: %s', (_, { text, profiles = [] }) => {
    expect(problemsOf(text)).toEqual([])
    const known = profiles.map(({ args = {}, ...rest }) => ({ percentageOfNodesToScore: undefined, ...rest, args: withoutNulls(Object.fromEntries(Object.entries(args).filter(([name]) => hasArgs(name)))) }))
    expect(profilesShown(text)).toEqual(known)
  })

  it.each([
    ['a plugin that is not here', 'profiles:\n- plugins: {multiPoint: {enabled: [{name: NodeDeclaredFeatures}]}}\n', 'plugin "NodeDeclaredFeatures" is not served here'],
    ['a filter without its preparation', 'profiles:\n- plugins: {preFilter: {disabled: [{name: NodePorts}]}}\n', 'plugin "NodePorts" is enabled at filter but not at preFilter, without which it cannot do it: disable it at both'],
    ['a score without its preparation', 'profiles:\n- plugins: {preScore: {disabled: [{name: "*"}]}}\n', 'plugin "TaintToleration" is enabled at score but not at preScore, without which it cannot do it: disable it at both'],
  ])('cannot be had: %s', (_, text, message) => {
    expect(problemsOf(head + text)).toEqual([`new: initializing profiles: creating profile for scheduler name default-scheduler: ${message}`])
  })

  it.each([
    ['profiles: {}', 'profiles must be a list'],
    ['parallelism: 1.5', 'parallelism must be an integer'],
    ['parallelism: many', 'parallelism must be an integer'],
    ['profiles:\n- pluginConfig:\n  - {name: NodeAffinity, args: [1]}', 'decoding .profiles[0].pluginConfig[0]: args for plugin NodeAffinity must be an object'],
  ])('cannot be read: %s', (text, message) => {
    expect(() => readSchedulerConfiguration(`${head}${text}\n`)).toThrow(message)
  })
})
