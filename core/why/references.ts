/** What a pod names and cannot do without: ConfigMaps, Secrets, a ServiceAccount. Which of them there is not. */
import { configMaps } from '../api/core/configmap.ts'
import { secrets } from '../api/core/secret.ts'
import { serviceAccounts } from '../api/core/serviceaccount.ts'
import type { KubeObject } from '../api/meta.ts'
import type { KindRef } from '../api/kind.ts'
import type { ConfigMap, Pod, Secret } from '../api/schema/types.ts'
import type { Reader } from './reader.ts'

export interface Reference {
  readonly kind: 'ConfigMap' | 'Secret'
  readonly name: string
  /** '' for the whole object. */
  readonly key: string
  /** What it is wanted for: `volume config`, `variable PASSWORD of container app`. */
  readonly by: string
}

/** Pure: what the spec names and does not call optional. */
function referencesOf({ spec }: Readonly<Pod>): readonly Reference[] {
  const found: Reference[] = []
  const add = (kind: Reference['kind'], source: { readonly name?: string; readonly optional?: boolean; readonly key?: string } | undefined, by: string): void => {
    if (source?.name !== undefined && source.name !== '' && source.optional !== true) found.push({ kind, name: source.name, key: source.key ?? '', by })
  }
  for (const { name, configMap, secret, projected } of spec?.volumes ?? []) {
    add('ConfigMap', configMap, `volume ${name}`)
    add('Secret', secret === undefined ? undefined : { name: secret.secretName ?? '', ...(secret.optional === undefined ? {} : { optional: secret.optional }) }, `volume ${name}`)
    for (const source of projected?.sources ?? []) {
      add('ConfigMap', source.configMap, `volume ${name}`)
      add('Secret', source.secret, `volume ${name}`)
    }
  }
  for (const { name, env = [], envFrom = [] } of [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]) {
    for (const variable of env) {
      add('ConfigMap', variable.valueFrom?.configMapKeyRef, `variable ${variable.name} of container ${name}`)
      add('Secret', variable.valueFrom?.secretKeyRef, `variable ${variable.name} of container ${name}`)
    }
    for (const source of envFrom) {
      add('ConfigMap', source.configMapRef, `the environment of container ${name}`)
      add('Secret', source.secretRef, `the environment of container ${name}`)
    }
  }
  return found
}

/** The first thing that is not there, as a clause. */
export async function missingReference(reader: Reader, pod: Readonly<Pod>): Promise<string | undefined> {
  const { namespace = '' } = pod.metadata
  for (const { kind, name, key, by } of referencesOf(pod)) {
    const object = await reader.get<ConfigMap | Secret>((kind === 'ConfigMap' ? configMaps : secrets) as KindRef<ConfigMap | Secret>, name, namespace)
    if (object === 'absent') return `needs the ${kind} ${name} for ${by}, and there is none in namespace ${namespace}`
    if (key === '' || object === 'unreadable' || hasKey(object, key)) continue
    return `needs the key ${key} of ${kind} ${name} for ${by}, and it has no such key`
  }
  const account = pod.spec?.serviceAccountName ?? ''
  if (account !== '' && (await reader.get(serviceAccounts, account, namespace)) === 'absent') return `runs as the ServiceAccount ${account}, which does not exist in namespace ${namespace}`
  return undefined
}

function hasKey(object: Readonly<KubeObject & { readonly data?: object; readonly binaryData?: object }>, key: string): boolean {
  return key in (object.data ?? {}) || key in (object.binaryData ?? {})
}

export interface PullSecret {
  readonly name: string
  readonly is: 'there' | 'absent' | 'unreadable'
}

export async function pullSecretsOf(reader: Reader, pod: Readonly<Pod>): Promise<readonly PullSecret[]> {
  return await Promise.all((pod.spec?.imagePullSecrets ?? []).map(async ({ name = '' }) => {
    const secret = await reader.get(secrets, name, pod.metadata.namespace ?? '')
    return { name, is: typeof secret === 'string' ? secret : 'there' }
  }))
}
