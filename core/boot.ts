/**
 * Objects that every cluster has from its first moment, besides the bootstrap
 * policy: namespaces, the two system priority classes, the service range, the DNS
 * Service. Created where they are missing; what a user changed stays. The class of
 * local volumes is the user's from then on: it is made once, and does not come back.
 */
import { isApiError } from './api/errors.ts'
import { namespaces } from './api/core/namespace.ts'
import { services } from './api/core/service.ts'
import type { KindRef } from './api/kind.ts'
import { keyOf, type KubeObject } from './api/meta.ts'
import { serviceCIDRs } from './api/networking/servicecidr.ts'
import { priorityClasses } from './api/scheduling/priorityclass.ts'
import { localPathProvisioner } from './api/storage/localpath.ts'
import { defaultClass, defaultClassAnnotation, storageClasses } from './api/storage/storageclass.ts'
import type { Client } from './client/client.ts'
import type { Ctx } from './lib/ctx.ts'

export interface BootConfig {
  readonly serviceCidr: string
  readonly clusterDns: string
  /** Whether there is to be a class for volumes that are folders of nodes. */
  readonly localStorage?: boolean
}

const systemNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'] as const

/** k8s.io/kubernetes/pkg/apis/scheduling/v1/helpers.go */
const systemPriorities = [
  { name: 'system-node-critical', value: 2_000_001_000, description: 'Used for system critical pods that must not be moved from their current node.' },
  { name: 'system-cluster-critical', value: 2_000_000_000, description: 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.' },
] as const

export async function bootObjects(ctx: Ctx, client: Client, config: BootConfig): Promise<void> {
  await Promise.all(systemNamespaces.map((name) => ensure(ctx, client, namespaces, { metadata: { name } })))
  await Promise.all([
    ...systemPriorities.map(({ name, value, description }) => ensure(ctx, client, priorityClasses, { metadata: { name }, value, description })),
    ensure(ctx, client, serviceCIDRs, { metadata: { name: 'kubernetes' }, spec: { cidrs: [config.serviceCidr] } }),
    ensure(ctx, client, services, {
      metadata: { name: 'kube-dns', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/name': 'CoreDNS' } },
      spec: {
        clusterIP: config.clusterDns,
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
          { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
        ],
      },
    }),
    ...(config.localStorage === true ? [localStorageClass(ctx, client)] : []),
  ])
}

/** On kube-system: the class was made once. */
const classMade = 'kubun.io/local-path-class'

/** The default, unless there is one already. */
async function localStorageClass(ctx: Ctx, client: Client): Promise<void> {
  const system = { namespace: '', name: 'kube-system' }
  if ((await client.get(ctx, namespaces, system))?.metadata.annotations?.[classMade] !== undefined) return
  const isDefault = defaultClass((await client.list(ctx, storageClasses)).items) === undefined
  await ensure(ctx, client, storageClasses, {
    metadata: { name: 'local-path', ...(isDefault ? { annotations: { [defaultClassAnnotation]: 'true' } } : {}) },
    provisioner: localPathProvisioner,
    volumeBindingMode: 'WaitForFirstConsumer',
    reclaimPolicy: 'Delete',
    allowVolumeExpansion: false,
  })
  await client.patch(ctx, namespaces, system, 'merge', { metadata: { annotations: { [classMade]: 'made' } } })
}

async function ensure<T extends KubeObject>(ctx: Ctx, client: Client, kind: KindRef<T>, object: T): Promise<void> {
  if ((await client.get(ctx, kind, keyOf(object))) !== undefined) return
  try {
    await client.create(ctx, kind, object)
  } catch (error) {
    if (!isApiError(error, 'AlreadyExists')) throw error
  }
}
