/**
 * Extended resources that nodes have as devices: which class stands behind a resource, and what a pod's containers ask of it
 * (extendeddynamicresources.go, deviceclass/extendedresourcecache). One claim is made for all of a pod; which of its requests a
 * container may use stands in the pod's status. Pure.
 */
import { isExtendedResource } from '../../api/core/podspec/resources.ts'
import { controllerOf } from '../../api/meta.ts'
import { quantityMilli } from '../../api/quantity.ts'
import { extendedClaimAnnotation } from '../../api/resource/podclaims.ts'
import type { Container, ContainerExtendedResourceRequest, DeviceClass, DeviceRequest, Pod, ResourceClaim } from '../../api/schema/types.ts'

/** Every class is a resource by this and its name. */
export const classPrefix = 'deviceclass.resource.kubernetes.io/'

type Class = Readonly<DeviceClass>

/** Where several classes say that they are the resource, the newest is; of equally old ones the first by name. */
export function classOf(resource: string, classes: readonly Class[]): Class | undefined {
  if (resource.startsWith(classPrefix)) return classes.find(({ metadata }) => metadata.name === resource.slice(classPrefix.length))
  if (!isExtendedResource(resource)) return undefined
  return classes.filter(({ spec }) => spec.extendedResourceName === resource).toSorted(byAge)[0]
}

function byAge(a: Class, b: Class): number {
  const [x, y] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  if (x !== y) return x > y ? -1 : 1
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
}

/** The claim as it will be created; what it asks for depends on the node. */
export function extendedClaimFor(pod: Readonly<Pod>): ResourceClaim {
  const { namespace = '', name = '', uid = '' } = pod.metadata
  return {
    metadata: {
      namespace,
      generateName: `${name}-extended-resources-`,
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid, controller: true }],
      annotations: { [extendedClaimAnnotation]: 'true' },
    },
    spec: {},
  }
}

/** That an earlier attempt left behind. */
export function leftBehind(pod: Readonly<Pod>, claims: readonly Readonly<ResourceClaim>[]): Readonly<ResourceClaim> | undefined {
  return claims.find((claim) => claim.metadata.annotations?.[extendedClaimAnnotation] === 'true' && controllerOf(claim)?.uid === pod.metadata.uid && claim.metadata.namespace === pod.metadata.namespace)
}

export interface ExtendedRequests {
  readonly requests: readonly DeviceRequest[]
  readonly mappings: readonly ContainerExtendedResourceRequest[]
}

interface Part extends ExtendedRequests {
  readonly count: number
}

/** Of these resources, each with its class. */
export function extendedRequests(pod: Readonly<Pod>, resources: ReadonlyMap<string, Class>): ExtendedRequests {
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]
  const inits = pod.spec?.initContainers?.length ?? 0
  const requests: DeviceRequest[] = []
  const mappings: ContainerExtendedResourceRequest[] = []
  for (const name of [...resources.keys()].toSorted(byText)) {
    const className = resources.get(name)?.metadata.name ?? ''
    const found = requestsFor(containers, inits, name, className)
    requests.push(...found.requests)
    mappings.push(...found.mappings)
  }
  return { requests: requests.toSorted((a, b) => byText(a.name, b.name)), mappings }
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/**
 * Containers that run together have devices of their own. An init container that ends before others begin uses theirs, and of what
 * is lacking there is as much as the one that lacks most needs.
 */
function requestsFor(containers: readonly Readonly<Container>[], inits: number, name: string, className: string): ExtendedRequests {
  const isShort = (i: number): boolean => i < inits && containers[i]?.restartPolicy !== 'Always'
  const long = containers.map((container, i) => (isShort(i) ? undefined : partOf(i, container, { name, className }, [])))
  const short = containers.flatMap((container, i) => (isShort(i) ? [partOf(i, container, { name, className }, long.slice(i).flatMap((part) => part?.requests ?? []))] : []))
  const most = short.reduce<Part | undefined>((best, part) => (part.requests.length > 0 && (best === undefined || part.count > best.count) ? part : best), undefined)
  const shared = most?.requests[0]?.name
  const replaced = new Set(short.flatMap(({ requests }) => requests.map((request) => request.name)))
  return {
    requests: [...(most?.requests ?? []), ...long.flatMap((part) => part?.requests ?? [])],
    mappings: [
      ...long.flatMap((part) => part?.mappings ?? []),
      ...short.flatMap(({ mappings }) => mappings.map((mapping) => (shared !== undefined && replaced.has(mapping.requestName) ? { ...mapping, requestName: shared } : mapping))),
    ],
  }
}

const nothing: Part = { requests: [], mappings: [], count: 0 }

/** What one container asks for, after it has taken what it may use of others. */
function partOf(index: number, container: Readonly<Container>, { name, className }: { readonly name: string; readonly className: string }, reusable: readonly DeviceRequest[]): Part {
  const asked = container.resources?.requests ?? {}
  const wanted = name in asked ? quantityMilli(asked[name] ?? 0) / 1_000 : 0
  if (wanted === 0 || !Number.isInteger(wanted)) return nothing
  const mapping = (requestName: string): ContainerExtendedResourceRequest => ({ containerName: container.name, resourceName: name, requestName })
  const mappings: ContainerExtendedResourceRequest[] = []
  let have = 0
  for (const request of reusable) {
    have += request.exactly?.count ?? 0
    mappings.push(mapping(request.name))
    if (have >= wanted) return { requests: [], mappings, count: 0 }
  }
  const requestName = `container-${index}-request-${Object.keys(asked).toSorted(byText).indexOf(name)}`
  const request = { name: requestName, exactly: { deviceClassName: className, allocationMode: 'ExactCount', count: wanted - have } }
  return { requests: [request], mappings: [...mappings, mapping(requestName)], count: wanted - have }
}
