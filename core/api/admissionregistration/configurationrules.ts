/** Rules that both kinds of webhook configurations share (k8s.io/kubernetes/pkg/apis/admissionregistration/validation). */
import { equalJson } from '../../lib/json.ts'
import { labelSelector, oneOf, say, type Errors } from '../checks.ts'
import { duplicate, invalidValue, path, required, type Path } from '../field.ts'
import type { Strategy } from '../kind.ts'
import { dns1035Label, dns1123Subdomain } from '../names.ts'
import type { MutatingWebhook, MutatingWebhookConfiguration, ValidatingWebhook, ValidatingWebhookConfiguration, WebhookClientConfig } from '../schema/types.ts'
import { webhookService, webhookUrl } from '../webhookrules.ts'
import { matchConditions, type ExpressionCheck } from './matchconditions.ts'
import { failurePolicies, matchPolicies, ruleWithOperations } from './resourcerules.ts'
import { staticNameWarnings } from './staticnames.ts'

type Webhook = Readonly<ValidatingWebhook> & Pick<MutatingWebhook, 'reinvocationPolicy'>
type Configuration = ValidatingWebhookConfiguration | MutatingWebhookConfiguration

/** What a configuration may keep, because it stood there before it was forbidden. */
interface Leniency {
  readonly sideEffects: boolean
  readonly unknownVersions: boolean
  readonly sameNames: boolean
  readonly labelValues: boolean
  readonly conditions: boolean
}

const strict: Leniency = { sideEffects: false, unknownVersions: false, sameNames: false, labelValues: false, conditions: false }
const noSideEffects = ['None', 'NoneOnDryRun']
const allSideEffects = ['None', 'NoneOnDryRun', 'Some', 'Unknown']
const reviewVersions = ['v1', 'v1beta1']
const reinvocationPolicies = ['IfNeeded', 'Never']
const timeoutSMax = 30

/** @param check a match condition's expression */
export function configurationStrategy<T extends Configuration>(check: ExpressionCheck): Strategy<T> {
  return {
    validateCreate: (next) => validate(next, strict, check),
    validateUpdate: (next, prev) => validate(next, leniencyFor(next, prev), check),
    warnings: staticNameWarnings,
  }
}

const hooksOf = (configuration: Readonly<Configuration>): readonly Webhook[] => configuration.webhooks ?? []

function validate(configuration: Readonly<Configuration>, lenient: Leniency, check: ExpressionCheck): Errors {
  const errors: Errors = []
  const names = new Set<string>()
  hooksOf(configuration).forEach((hook, i) => {
    const at = path('webhooks').index(i)
    webhook(errors, hook, lenient, check, at)
    versions(errors, hook.admissionReviewVersions ?? [], lenient, at.child('admissionReviewVersions'))
    if (lenient.sameNames || hook.name === '') return
    if (names.has(hook.name)) errors.push(duplicate(at.child('name'), hook.name))
    names.add(hook.name)
  })
  return errors
}

function webhook(errors: Errors, hook: Webhook, lenient: Leniency, check: ExpressionCheck, at: Path): void {
  qualifiedHost(errors, hook.name ?? '', at.child('name'))
  hook.rules?.forEach((rule, i) => ruleWithOperations(errors, rule, at.child('rules').index(i)))
  if (hook.failurePolicy !== undefined) oneOf(errors, hook.failurePolicy, failurePolicies, at.child('failurePolicy'))
  if (hook.matchPolicy !== undefined) oneOf(errors, hook.matchPolicy, matchPolicies, at.child('matchPolicy'))
  const allowed = lenient.sideEffects ? allSideEffects : noSideEffects
  if (hook.sideEffects === undefined) errors.push(required(at.child('sideEffects'), `must specify one of ${allowed.join(', ')}`))
  else oneOf(errors, hook.sideEffects, allowed, at.child('sideEffects'))
  const timeoutS = hook.timeoutSeconds
  if (timeoutS !== undefined && (timeoutS > timeoutSMax || timeoutS < 1)) {
    errors.push(invalidValue(at.child('timeoutSeconds'), timeoutS, 'the timeout value must be between 1 and 30 seconds'))
  }
  labelSelector(errors, hook.namespaceSelector, at.child('namespaceSelector'), lenient.labelValues)
  labelSelector(errors, hook.objectSelector, at.child('objectSelector'), lenient.labelValues)
  if (hook.reinvocationPolicy !== undefined) oneOf(errors, hook.reinvocationPolicy, reinvocationPolicies, at.child('reinvocationPolicy'))
  clientConfig(errors, hook.clientConfig ?? {}, at.child('clientConfig'))
  if (!lenient.conditions) matchConditions(errors, hook.matchConditions, at.child('matchConditions'), check)
}

function qualifiedHost(errors: Errors, name: string, at: Path): void {
  if (name === '') return void errors.push(required(at))
  const sentences = dns1123Subdomain(name)
  if (sentences.length > 0) errors.push(invalidValue(at, name, sentences.join(',')))
  else if (name.split('.').length < 3) errors.push(invalidValue(at, name, 'should be a domain with at least three segments separated by dots'))
}

function clientConfig(errors: Errors, { url, service }: Readonly<WebhookClientConfig>, at: Path): void {
  if ((url === undefined) === (service === undefined)) errors.push(required(at, 'exactly one of url or service is required'))
  else if (url !== undefined) webhookUrl(errors, url, at.child('url'))
  // Upstream hands over name and namespace the wrong way round: what is missing is called by the other's name.
  else if (service !== undefined) webhookService(errors, { ...service, name: service.namespace, namespace: service.name }, at.child('service'))
}

function versions(errors: Errors, have: readonly string[], lenient: Leniency, at: Path): void {
  const known = reviewVersions.join(', ')
  if (have.length === 0) return void errors.push(required(at, `must specify one of ${known}`))
  const seen = new Set<string>()
  have.forEach((version, i) => {
    if (seen.has(version)) return void errors.push(invalidValue(at.index(i), version, 'duplicate version'))
    seen.add(version)
    say(errors, at.index(i), version, dns1035Label(version))
  })
  if (!lenient.unknownVersions && !understood(have)) errors.push(invalidValue(at, have, `must include at least one of ${known}`))
}

const understood = (versions: readonly string[]): boolean => versions.some((version) => reviewVersions.includes(version))

function leniencyFor(next: Readonly<Configuration>, prev: Readonly<Configuration>): Leniency {
  const [now, before] = [hooksOf(next), hooksOf(prev)]
  return {
    sideEffects: before.some((hook) => !noSideEffects.includes(hook.sideEffects ?? '')),
    unknownVersions: before.some((hook) => (hook.admissionReviewVersions ?? []).length > 0 && !understood(hook.admissionReviewVersions)),
    sameNames: new Set(before.map((hook) => hook.name)).size < before.length,
    labelValues: before.some((hook) => {
      const errors: Errors = []
      labelSelector(errors, hook.namespaceSelector, path('namespaceSelector'))
      labelSelector(errors, hook.objectSelector, path('objectSelector'))
      return errors.length > 0
    }),
    conditions: now.length === before.length && now.every((hook, i) => equalJson(hook.matchConditions ?? null, before[i]?.matchConditions ?? null)),
  }
}
