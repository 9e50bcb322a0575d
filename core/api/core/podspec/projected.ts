/**
 * Projected volumes, and the downward API files that they share with volumes of their own
 * (k8s.io/kubernetes/pkg/apis/core/validation/validation.go, validateProjectionSources).
 */
import { labelSelector, needsText, oneOf, say, type Errors } from '../../checks.ts'
import { forbiddenField, invalidValue, required, tooLong, type Path } from '../../field.ts'
import { annotationBytesMax } from '../../metavalidation.ts'
import { dns1123Subdomain, qualifiedName } from '../../names.ts'
import { validateSignerName } from '../../certificates/signername.ts'
import type * as k from '../../schema/types.ts'
import { fieldSelector, resourceSelector } from './env.ts'
import { fileMode, keyToPath, localPath } from './paths.ts'

const downwardFields = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid']

export function downwardFiles(errors: Errors, files: readonly Readonly<k.DownwardAPIVolumeFile>[], at: Path): void {
  for (const file of files) {
    needsText(errors, file.path, at.child('path'))
    localPath(errors, file.path, at.child('path'))
    if (file.fieldRef !== undefined) {
      fieldSelector(errors, file.fieldRef, downwardFields, at.child('fieldRef'))
      if (file.resourceFieldRef !== undefined) errors.push(invalidValue(at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'))
    } else if (file.resourceFieldRef !== undefined) {
      resourceSelector(errors, file.resourceFieldRef, at.child('resourceFieldRef'), true)
    } else {
      errors.push(required(at, 'one of fieldRef and resourceFieldRef is required'))
    }
    fileMode(errors, file.mode, at.child('mode'))
  }
}

export function projected(errors: Errors, volume: Readonly<k.ProjectedVolumeSource>, at: Path): void {
  fileMode(errors, volume.defaultMode, at.child('defaultMode'))
  const taken = new Set<string>()
  const take = (path: string, shown = path): void => {
    if (taken.has(path)) errors.push(invalidValue(at, shown, 'conflicting duplicate paths'))
    taken.add(path)
  }
  volume.sources?.forEach((source, i) => {
    const here = at.child('sources').index(i)
    for (const field of ['secret', 'configMap'] as const) {
      const of = source[field]
      if (of === undefined) continue
      needsText(errors, of.name, here.child(field, 'name'))
      of.items?.forEach((item, j) => {
        keyToPath(errors, item, here.child(field, 'items').index(j))
        if (item.path !== '') take(item.path, of.name ?? '')
      })
    }
    for (const file of source.downwardAPI?.items ?? []) {
      downwardFiles(errors, [file], here.child('downwardAPI'))
      if (file.path !== '') take(file.path)
    }
    if (source.serviceAccountToken !== undefined) token(errors, source.serviceAccountToken, here.child('serviceAccountToken'), at)
    if (source.clusterTrustBundle !== undefined) {
      trustBundle(errors, source.clusterTrustBundle, here.child('clusterTrustBundle'))
      take(source.clusterTrustBundle.path)
    }
    if (source.podCertificate !== undefined) certificate(errors, source.podCertificate, here.child('podCertificate'), take)
    if (Object.keys(source).length > 1) errors.push(forbiddenField(here, 'may not specify more than 1 volume type per source'))
  })
}

function token(errors: Errors, source: Readonly<k.ServiceAccountTokenProjection>, at: Path, volume: Path): void {
  const seconds = source.expirationSeconds ?? 0
  if (seconds < 600) errors.push(invalidValue(at.child('expirationSeconds'), seconds, 'may not specify a duration less than 10 minutes'))
  if (seconds > 2 ** 32) errors.push(invalidValue(at.child('expirationSeconds'), seconds, 'may not specify a duration larger than 2^32 seconds'))
  if (source.path === '') errors.push(required(volume.child('path')))
  else localPath(errors, source.path, volume.child('path'))
}

function trustBundle(errors: Errors, source: Readonly<k.ClusterTrustBundleProjection>, at: Path): void {
  const { name, signerName } = source
  if (name !== undefined && signerName !== undefined) {
    const shown = { Name: name, SignerName: signerName, LabelSelector: source.labelSelector ?? null, Optional: source.optional ?? null, Path: source.path }
    errors.push(invalidValue(at, shown, 'only one of name and signerName may be used'))
  } else if (name !== undefined) {
    if (name === '') errors.push(required(at.child('name'), 'must be a valid object name'))
    say(errors, at.child('name'), name, trustBundleName(name).map((sentence) => `not a valid clustertrustbundlename: ${sentence}`))
    if (source.labelSelector !== undefined) errors.push(invalidValue(at.child('labelSelector'), source.labelSelector, 'labelSelector must be unset if name is specified'))
  } else if (signerName !== undefined) {
    if (signerName === '') errors.push(required(at.child('signerName'), 'must be a valid signer name'))
    validateSignerName(errors, signerName, at.child('signerName'))
    labelSelector(errors, source.labelSelector, at.child('labelSelector'))
  } else {
    errors.push(required(at, 'either name or signerName must be specified'))
  }
  needsText(errors, source.path, at.child('path'))
  localPath(errors, source.path, at.child('path'))
}

/** `name`, or `signer:domain:name` with the signer's own name before it. */
const trustBundleName = (name: string): readonly string[] => dns1123Subdomain(name.slice(name.lastIndexOf(':') + 1))

const keyTypes = ['RSA3072', 'RSA4096', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519']
const daySeconds = 86_400

function certificate(errors: Errors, source: Readonly<k.PodCertificateProjection>, at: Path, take: (path: string) => void): void {
  validateSignerName(errors, source.signerName, at.child('signerName'))
  userAnnotations(errors, source.userAnnotations, at.child('userAnnotations'))
  oneOf(errors, source.keyType, keyTypes, at.child('keyType'))
  const seconds = source.maxExpirationSeconds
  if (seconds !== undefined) {
    const here = at.child('maxExpirationSeconds')
    const host = source.signerName.split('/')[0] ?? ''
    const most = host === 'kubernetes.io' || host.endsWith('.kubernetes.io') ? daySeconds : 91 * daySeconds
    if (seconds < 3_600) errors.push(invalidValue(here, seconds, 'if provided, maxExpirationSeconds must be >= 3600'))
    if (seconds > most) errors.push(invalidValue(here, seconds, `if provided, maxExpirationSeconds must be <= ${most}`))
  }
  let paths = 0
  for (const field of ['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const) {
    const path = source[field] ?? ''
    if (path === '') continue
    paths++
    localPath(errors, path, at.child(field))
    take(path)
  }
  if (paths === 0) errors.push(required(at, 'specify at least one of credentialBundlePath, keyPath, and certificateChainPath'))
}

function userAnnotations(errors: Errors, annotations: Readonly<Record<string, string>> | undefined, at: Path): void {
  for (const key of Object.keys(annotations ?? {}).map((text) => text.toLowerCase())) {
    const wrong = qualifiedName(key)
    if (wrong.length > 0) say(errors, at, key, wrong)
    else if (!key.includes('/')) errors.push(invalidValue(at, key, 'must be a domain-prefixed key (such as "acme.io/foo")'))
  }
  const bytes = Object.entries(annotations ?? {}).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0)
  if (bytes > annotationBytesMax) errors.push(tooLong(at, annotationBytesMax))
}
