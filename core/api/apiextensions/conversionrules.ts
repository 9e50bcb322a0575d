/** How objects get from one version to another: nothing but the version's name changes, or a webhook does it (apis/apiextensions/validation). */
import { needsOneOf, type Errors } from '../checks.ts'
import { forbiddenField, invalidValue, required, type Path } from '../field.ts'
import { dns1035Label } from '../names.ts'
import type { CustomResourceConversion, WebhookConversion } from '../schema/types.ts'
import { webhookService, webhookUrl } from '../webhookrules.ts'
import { bundleError } from './cabundle.ts'

/** Of ConversionReview. */
export const acceptedReviewVersions: readonly string[] = ['v1', 'v1beta1']

export interface ConversionLeniency {
  readonly anyReviewVersion: boolean
  readonly wrongCaBundle: boolean
}

export function validateConversion(errors: Errors, conversion: Readonly<CustomResourceConversion> | undefined, at: Path, lenient: ConversionLeniency): void {
  if (conversion === undefined) return
  needsOneOf(errors, conversion.strategy, ['None', 'Webhook'], at.child('strategy'))
  const { webhook } = conversion
  if (conversion.strategy === 'Webhook') {
    validateClient(errors, webhook?.clientConfig, at.child('webhookClientConfig'), lenient)
    validateReviewVersions(errors, webhook?.conversionReviewVersions ?? [], at.child('conversionReviewVersions'), lenient)
    return
  }
  const sentence = 'should not be set when strategy is not set to Webhook'
  if (webhook?.clientConfig !== undefined) errors.push(forbiddenField(at.child('webhookClientConfig'), sentence))
  if ((webhook?.conversionReviewVersions ?? []).length > 0) errors.push(forbiddenField(at.child('conversionReviewVersions'), sentence))
}

function validateClient(errors: Errors, client: WebhookConversion['clientConfig'], at: Path, lenient: ConversionLeniency): void {
  if (client === undefined) {
    errors.push(required(at, 'required when strategy is set to Webhook'))
    return
  }
  const { url, service, caBundle = '' } = client
  if ((url === undefined) === (service === undefined)) errors.push(required(at, 'exactly one of url or service is required'))
  else if (url !== undefined) webhookUrl(errors, url, at.child('url'))
  // upstream hands the two names over in the other order here: each is missed where the other stands
  else if (service !== undefined) webhookService(errors, { ...service, namespace: service.name, name: service.namespace }, at.child('service'))
  const wrong = lenient.wrongCaBundle ? undefined : bundleError(caBundle)
  if (wrong !== undefined) errors.push(invalidValue(at.child('caBundle'), caBundle, wrong))
}

function validateReviewVersions(errors: Errors, versions: readonly string[], at: Path, lenient: ConversionLeniency): void {
  if (versions.length === 0) {
    errors.push(required(at))
    return
  }
  versions.forEach((version, i) => {
    if (versions.indexOf(version) < i) errors.push(invalidValue(at.index(i), version, 'duplicate version'))
    else for (const sentence of dns1035Label(version)) errors.push(invalidValue(at.index(i), version, sentence))
  })
  if (!lenient.anyReviewVersion && !versions.some((version) => acceptedReviewVersions.includes(version))) {
    errors.push(invalidValue(at, versions, `must include at least one of ${acceptedReviewVersions.join(', ')}`))
  }
}
