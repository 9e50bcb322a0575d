/** Which class is a resource, and what containers ask of it: those that run together each for themselves, those that end before use theirs. */
import { describe, expect, it } from 'vitest'
import type { Container, DeviceClass, Pod } from '../../api/schema/types.ts'
import { classOf, extendedRequests } from './extended.ts'

const card = 'example.com/card'
const container = (name: string, count: number, more: Partial<Container> = {}): Container => ({ name, image: 'i', resources: { requests: { cpu: '1', ...(count === 0 ? {} : { [card]: String(count) }) } }, ...more })
const sidecar = (name: string, count: number): Container => container(name, count, { restartPolicy: 'Always' })
const podOf = (containers: Container[], initContainers: Container[] = []): Pod => ({ metadata: { name: 'p' }, spec: { containers, initContainers } })
const made = (name: string, creationTimestamp: string, extendedResourceName?: string): DeviceClass => ({ metadata: { name, creationTimestamp }, spec: extendedResourceName === undefined ? {} : { extendedResourceName } })

describe('classOf()', () => {
  const old = made('b', '2026-01-01T00:00:00Z', card)
  it.each([
    ['nobody', [made('a', '2026-01-01T00:00:00Z')], card, undefined],
    ['the newest', [old, made('z', '2026-02-01T00:00:00Z', card)], card, 'z'],
    ['of equally old ones the first by name', [old, made('a', '2026-01-01T00:00:00Z', card)], card, 'a'],
    ['the class itself', [old], 'deviceclass.resource.kubernetes.io/b', 'b'],
    ['no native resource', [made('a', '2026-01-01T00:00:00Z', 'cpu')], 'cpu', undefined],
  ])('%s', (_, classes, resource, want) => {
    expect(classOf(resource, classes)?.metadata.name).toBe(want)
  })
})

describe('extendedRequests()', () => {
  const asked = (pod: Pod): readonly [Record<string, number>, string[]] => {
    const { requests, mappings } = extendedRequests(pod, new Map([[card, made('cards', '')]]))
    return [Object.fromEntries(requests.map(({ name, exactly }) => [name, exactly?.count ?? 0])), mappings.map(({ containerName, requestName }) => `${containerName} ${requestName}`)]
  }
  it.each([
    ['one container', podOf([container('a', 2)]), { 'container-0-request-1': 2 }, ['a container-0-request-1']],
    ['nothing asked for', podOf([container('a', 0)]), {}, []],
    ['two that run together', podOf([container('a', 2), container('b', 1)]), { 'container-0-request-1': 2, 'container-1-request-1': 1 }, ['a container-0-request-1', 'b container-1-request-1']],
    ['one that ends before uses the others', podOf([container('a', 2), container('b', 1)], [container('i', 2)]), { 'container-1-request-1': 2, 'container-2-request-1': 1 },
      ['a container-1-request-1', 'b container-2-request-1', 'i container-1-request-1']],
    ['what it lacks is asked for', podOf([container('a', 1)], [container('i', 3)]), { 'container-0-request-1': 2, 'container-1-request-1': 1 }, ['a container-1-request-1', 'i container-1-request-1', 'i container-0-request-1']],
    ['the most of what several lack', podOf([container('a', 0)], [container('i', 1), container('j', 3)]), { 'container-1-request-1': 3 }, ['i container-1-request-1', 'j container-1-request-1']],
    ['a sidecar that came before is not free', podOf([container('a', 0)], [sidecar('s', 1), container('i', 1)]), { 'container-0-request-1': 1, 'container-1-request-1': 1 }, ['s container-0-request-1', 'i container-1-request-1']],
  ] as const)('%s', (_, pod, requests, mappings) => {
    expect(asked(pod as Pod)).toEqual([requests, mappings])
  })
})
