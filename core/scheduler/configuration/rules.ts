/**
 * What a KubeSchedulerConfiguration must obey, in upstream's sentences (k8s.io/kubernetes/pkg/scheduler/apis/config/
 * validation, k8s.io/component-base/config/validation).
 */
import type { Errors } from '../../api/checks.ts'
import { isExtendedResource } from '../../api/core/podspec/resources.ts'
import { duplicate, FieldError, invalidValue, path, required, type Path } from '../../api/field.ts'
import { qualifiedName } from '../../api/names.ts'
import { goDuration } from '../../lib/duration.ts'
import { equalJson } from '../../lib/json.ts'
import { type AllArgs, type ArgsName, hasArgs } from './args.ts'
import { checkArgs } from './argrules.ts'
import { configurationVersion, type ExtenderConfiguration, extensionPoints, type LeaderElection, type PluginSet, type SchedulerConfiguration, type SchedulerProfile } from './configuration.ts'

export function checkSchedulerConfiguration(config: SchedulerConfiguration): readonly FieldError[] {
  const errors: FieldError[] = []
  if (config.clientConnection.burst < 0) errors.push(invalidValue(path('clientConnection').child('burst'), config.clientConnection.burst, 'must be non-negative'))
  checkElection(errors, config.leaderElection, path('leaderElection'))
  if (config.parallelism <= 0) errors.push(invalidValue(path('parallelism'), config.parallelism, 'should be an integer value greater than zero'))
  const at = path('profiles')
  config.profiles.forEach((profile, i) => {
    checkProfile(errors, profile, at.index(i))
    const again = config.profiles.findIndex((other) => other.schedulerName === profile.schedulerName) < i
    if (again) errors.push(duplicate(at.index(i).child('schedulerName'), {})) // Go shows a path here, which has nothing to show
  })
  checkQueueSort(errors, config.profiles, at)
  checkPercentage(errors, config.percentageOfNodesToScore, path('percentageOfNodesToScore'))
  const { podInitialBackoffSeconds: initial, podMaxBackoffSeconds: max } = config
  if (initial <= 0) errors.push(invalidValue(path('podInitialBackoffSeconds'), initial, 'must be greater than 0'))
  if (max < initial) errors.push(invalidValue(path('podMaxBackoffSeconds'), max, 'must be greater than or equal to PodInitialBackoffSeconds'))
  checkExtenders(errors, config.extenders, path('extenders'))
  return errors
}

function checkElection(errors: Errors, { leaderElect, leaseDuration, renewDeadline, retryPeriod, resourceLock }: LeaderElection, at: Path): void {
  if (!leaderElect) return
  for (const [name, ms] of Object.entries({ leaseDuration, renewDeadline, retryPeriod })) {
    if (ms <= 0) errors.push(invalidValue(at.child(name), goDuration(ms), 'must be greater than zero'))
  }
  if (leaseDuration <= renewDeadline) errors.push(invalidValue(at.child('leaseDuration'), goDuration(renewDeadline), 'must be greater than `RenewDeadline`'))
  if (resourceLock !== 'leases') errors.push(invalidValue(at.child('resourceLock'), resourceLock, 'resourceLock value must be "leases"'))
}

function checkPercentage(errors: Errors, percentage: number | undefined, at: Path): void {
  if (percentage !== undefined && (percentage < 0 || percentage > 100)) errors.push(invalidValue(at, percentage, 'not in valid range [0-100]'))
}

/** Plugins of old. */
const gone = ['AzureDiskLimits', 'CinderLimits', 'EBSLimits', 'GCEPDLimits']
const goneSentence = `was invalid in version "v1" (KubeSchedulerConfiguration is version "${configurationVersion}")`

function checkProfile(errors: Errors, { schedulerName, percentageOfNodesToScore, plugins, pluginConfig }: SchedulerProfile, at: Path): void {
  if (schedulerName === '') errors.push(required(at.child('schedulerName')))
  checkPercentage(errors, percentageOfNodesToScore, at.child('percentageOfNodesToScore'))
  for (const point of extensionPoints) {
    if (point === 'placementGenerate' || point === 'placementScore') continue
    plugins[point].enabled.forEach(({ name }, i) => {
      if (gone.includes(name)) errors.push(invalidValue(at.child('plugins', point, 'enabled').index(i), name, goneSentence))
    })
  }
  pluginConfig.forEach(({ name, args }, i) => {
    const here = at.child('pluginConfig').index(i)
    if (pluginConfig.findIndex((other) => other.name === name) < i) errors.push(duplicate(here, name))
    if (gone.includes(name)) errors.push(invalidValue(here, name, goneSentence))
    else if (hasArgs(name)) checkArgs(errors, name, args as AllArgs[ArgsName] as never, here.child('args'))
  })
}

function checkQueueSort(errors: Errors, profiles: readonly SchedulerProfile[], at: Path): void {
  const first = profiles[0]?.plugins.queueSort ?? { enabled: [], disabled: [] }
  if (first.enabled.length > 1) errors.push(invalidValue(at.index(0).child('plugins', 'queueSort', 'Enabled'), first.enabled.length, 'only one queue sort plugin can be enabled'))
  profiles.forEach(({ plugins: { queueSort } }, i) => {
    if (!equalJson(queueSort, first)) errors.push(invalidValue(at.index(i).child('plugins', 'queueSort'), shownSet(queueSort), 'must be the same for all profiles'))
  })
}

/** As Go shows the set. */
function shownSet({ enabled, disabled }: PluginSet): object {
  const shown = (plugins: readonly { readonly name: string; readonly weight: number }[]): readonly object[] | null => (plugins.length === 0 ? null : plugins.map(({ name, weight }) => ({ Name: name, Weight: weight })))
  return { Enabled: shown(enabled), Disabled: shown(disabled.map((name) => ({ name, weight: 0 }))) }
}

function checkExtenders(errors: Errors, extenders: readonly ExtenderConfiguration[], at: Path): void {
  const managed = new Set<string>()
  extenders.forEach(({ prioritizeVerb, weight, managedResources }, i) => {
    const here = at.index(i)
    if (prioritizeVerb !== '' && weight <= 0) errors.push(invalidValue(here.child('weight'), weight, 'must have a positive weight applied to it'))
    managedResources.forEach(({ name }, k) => {
      const place = here.child('managedResources').index(k).child('name')
      checkResourceName(errors, name, place)
      if (managed.has(name)) errors.push(invalidValue(place, name, 'duplicate extender managed resource name'))
      managed.add(name)
    })
  })
  const binders = extenders.filter(({ bindVerb }) => bindVerb !== '').length
  if (binders > 1) errors.push(invalidValue(at, `found ${binders} extenders implementing bind`, 'only one extender can implement bind'))
}

function checkResourceName(errors: Errors, name: string, at: Path): void {
  const wrong = qualifiedName(name)
  for (const sentence of wrong) errors.push(invalidValue(at, name, sentence))
  if (wrong.length === 0 && !isExtendedResource(name)) errors.push(invalidValue(at, name, 'is an invalid extended resource name'))
}
