/**
 * ServiceAccount: every pod runs as an account that exists, with its token, the cluster's CA and its namespace mounted where
 * clients look for them (plugin/pkg/admission/serviceaccount). Issuing the token is core/auth/authn.
 */
import type { Ctx } from '../../lib/ctx.ts'
import type { Random } from '../../lib/random.ts'
import type { ApiError } from '../../api/errors.ts'
import { serviceAccounts } from '../../api/core/serviceaccount.ts'
import type { Container, Pod, ServiceAccount, Volume } from '../../api/schema/types.ts'
import { podSecretNames } from '../../auth/authz/graph.ts'
import { isAbout, objectOf, refuse, type AdmissionDeps } from '../deps.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts'

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount'
const volumePrefix = 'kube-api-access-'
/** Kubelets renew it; tokens of exactly this lifetime live on for clients that never read them again. */
const tokenS = 3_607
/** The account named default is made by a controller soon after its namespace: it is waited for. */
const defaultTries = 10
const retryMs = 150

export function serviceAccount({ lookup, random }: AdmissionDeps): AdmissionPlugin {
  const find = async (ctx: Ctx, request: AdmissionRequest, name: string): Promise<Readonly<ServiceAccount> | ApiError> => {
    for (let tries = 1; ; tries++) {
      const account = lookup.get(serviceAccounts, { namespace: request.namespace, name })
      if (account !== undefined) return account
      if (name !== 'default' || tries >= defaultTries) {
        return refuse(request, `error looking up service account ${request.namespace}/${name}: serviceaccount "${name}" not found`)
      }
      await ctx.clock.sleep(retryMs, ctx.signal)
    }
  }
  const validate: AdmissionPlugin['validate'] = async (ctx, request) => {
    const pod = objectOf<Pod>(request)
    if (isMirror(pod)) return mirrorRefusal(request, pod)
    const name = pod.spec?.serviceAccountName ?? ''
    if (name === '') return refuse(request, `no service account specified for pod ${request.namespace}/${pod.metadata.name ?? ''}`)
    const account = await find(ctx, request, name)
    if (account instanceof Error) return account
    if (account.metadata.annotations?.['kubernetes.io/enforce-mountable-secrets'] !== 'true') return undefined
    const why = unlistedSecret(account, pod)
    return why === undefined ? undefined : refuse(request, why)
  }
  return {
    name: 'ServiceAccount',
    handles: (request) => request.operation === 'CREATE' && isAbout(request, '', 'pods'),
    validate,
    async mutate(ctx, request) {
      const pod = objectOf<Pod>(request)
      const spec = pod.spec
      if (spec === undefined) return undefined // validation says so
      if (isMirror(pod)) return mirrorRefusal(request, pod)
      if ((spec.serviceAccountName ?? '') === '') spec.serviceAccountName = 'default'
      spec.serviceAccount = spec.serviceAccountName ?? '' // its old name, still written
      const account = await find(ctx, request, spec.serviceAccountName ?? '')
      if (account instanceof Error) return account
      if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(pod, random)
      if ((spec.imagePullSecrets ?? []).length === 0 && (account.imagePullSecrets ?? []).length > 0) {
        spec.imagePullSecrets = (account.imagePullSecrets ?? []).map((s) => ({ name: s.name ?? '' }))
      }
      return undefined
    },
  }
}

function isMirror(pod: Readonly<Pod>): boolean {
  return pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined
}

function mirrorRefusal(request: AdmissionRequest, pod: Readonly<Pod>): ApiError | undefined {
  const spec = pod.spec
  if (spec === undefined) return undefined
  if ((spec.serviceAccountName ?? '') !== '') return refuse(request, 'a mirror pod may not reference service accounts')
  if (podSecretNames(spec).length > 0) return refuse(request, 'a mirror pod may not reference secrets')
  const projects = (spec.volumes ?? []).some((v) => v.projected?.sources?.some((s) => s.serviceAccountToken !== undefined))
  return projects ? refuse(request, 'a mirror pod may not use ServiceAccountToken volume projections') : undefined
}

function mountToken(pod: Pod, random: Random): void {
  const spec = pod.spec
  if (spec === undefined) return
  const present = (spec.volumes ?? []).find((v) => v.name.startsWith(volumePrefix))
  const name = present?.name ?? `${volumePrefix}${random.suffix(5)}`
  let needed = false
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    if (container.volumeMounts?.some((m) => m.mountPath === mountPath)) continue
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath }]
    needed = true
  }
  if (present === undefined && needed) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)]
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenS, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
      ],
    },
  }
}

/** For accounts that list what may be mounted: the first secret that they do not. */
function unlistedSecret(account: Readonly<ServiceAccount>, pod: Readonly<Pod>): string | undefined {
  const listed = new Set((account.secrets ?? []).map((s) => s.name))
  const tail = `is not allowed because service account ${account.metadata.name} does not reference that secret`
  for (const volume of pod.spec?.volumes ?? []) {
    const secret = volume.secret?.secretName
    if (secret !== undefined && !listed.has(secret)) return `volume with secret.secretName="${secret}" ${tail}`
  }
  const within = (what: string, containers: readonly Container[] | undefined): string | undefined => {
    for (const c of containers ?? []) {
      for (const env of c.env ?? []) {
        const secret = env.valueFrom?.secretKeyRef?.name
        if (secret !== undefined && !listed.has(secret)) return `${what} ${c.name} with envVar ${env.name} referencing secret.secretName="${secret}" ${tail}`
      }
      for (const from of c.envFrom ?? []) {
        const secret = from.secretRef?.name
        if (secret !== undefined && !listed.has(secret)) return `${what} ${c.name} with envFrom referencing secret.secretName="${secret}" ${tail}`
      }
    }
    return undefined
  }
  const pull = new Set((account.imagePullSecrets ?? []).map((s) => s.name))
  const odd = (pod.spec?.imagePullSecrets ?? []).findIndex((s) => !pull.has(s.name))
  return within('init container', pod.spec?.initContainers) ?? within('container', pod.spec?.containers) ?? (odd < 0 ? undefined
    : `imagePullSecrets[${odd}].name="${pod.spec?.imagePullSecrets?.[odd]?.name}" is not allowed because service account ${account.metadata.name} does not reference that imagePullSecret`)
}
