/** Definitions get their names and are served, one of two that want the same name; they go with the objects of their kind. */
import { afterEach, describe, expect, it } from 'vitest'
import { conditionOf } from '../../api/apiextensions/conditions.ts'
import { customResourceDefinitions } from '../../api/apiextensions/customresourcedefinition.ts'
import type { KindRef } from '../../api/kind.ts'
import type { AnyObject } from '../../api/meta.ts'
import { ingressClasses } from '../../api/networking/ingressclass.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionNames } from '../../api/schema/types.ts'
import { testCluster, type TestCluster } from '../../../test/support/controllers.ts'
import { definitionCleanup } from './cleanup.ts'
import { definitionRegistration } from './registration.ts'

let cluster: TestCluster
afterEach(() => cluster.stop())

const group = 'example.com'
const definition = (plural: string, names: Partial<CustomResourceDefinitionNames> = {}, more: Partial<CustomResourceDefinition['spec']> = {}): CustomResourceDefinition => ({
  metadata: { name: `${plural}.${group}` },
  spec: {
    group, scope: 'Namespaced', names: { plural, kind: `${plural[0]?.toUpperCase()}${plural.slice(1)}`, ...names },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } }],
    ...more,
  },
})
const things: KindRef<AnyObject> = { group, version: 'v1', kind: 'Things', plural: 'things', namespaced: true }
const thing = (namespace: string, name: string, finalizers?: string[]): AnyObject => ({
  apiVersion: 'example.com/v1', kind: 'Things', metadata: { namespace, name, ...(finalizers === undefined ? {} : { finalizers }) },
})

const make = (crd: CustomResourceDefinition) => cluster.create(customResourceDefinitions, crd)
const got = (plural: string) => cluster.get(customResourceDefinitions, `${plural}.${group}`)
async function told(plural: string, type: Parameters<typeof conditionOf>[1]): Promise<string> {
  const crd = await got(plural)
  const condition = crd === undefined ? undefined : conditionOf(crd, type)
  return condition === undefined ? 'nothing' : `${condition.status} ${condition.reason}: ${condition.message}`
}
const remove = (plural: string) => cluster.client.delete(cluster.ctx, customResourceDefinitions, { namespace: '', name: `${plural}.${group}` })

describe('definitions', () => {
  it('are established in one write, and then left alone', async () => {
    cluster = await testCluster([definitionRegistration, definitionCleanup])
    await make(definition('things', { shortNames: ['th'], categories: ['all'] }))
    await cluster.settle()
    expect(await cluster.writes()).toBe(2)
    expect(await got('things')).toMatchObject({
      status: {
        acceptedNames: { plural: 'things', singular: 'things', kind: 'Things', listKind: 'ThingsList', shortNames: ['th'], categories: ['all'] },
        conditions: [
          { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' },
          { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' },
        ],
        storedVersions: ['v1'],
      },
    })
    await cluster.settle(60_000)
    expect(await cluster.writes()).toBe(0)
  })

  it('have a name that two want one after the other', async () => {
    cluster = await testCluster([definitionRegistration, definitionCleanup])
    await Promise.all(['firsts', 'seconds', 'thirds'].map((plural) => make(definition(plural, { shortNames: ['one'], kind: 'One', listKind: `${plural[0]}List` }))))
    await cluster.settle()
    const established = async (): Promise<readonly string[]> => (await cluster.list(customResourceDefinitions)).filter((crd) => conditionOf(crd, 'Established')?.status === 'True').map((crd) => crd.spec.names.plural)
    expect(await established()).toEqual(['firsts'])
    expect(await told('seconds', 'NamesAccepted')).toBe('False KindConflict: "One" is already in use')
    expect(await told('seconds', 'Established')).toBe('False NotAccepted: not all names are accepted')
    expect((await got('seconds'))?.status?.acceptedNames).toEqual({ plural: 'seconds', kind: '', listKind: 'sList' })
    await remove('firsts')
    await cluster.settle()
    expect((await established()).length).toBe(1)
    expect(await got('firsts')).toBeUndefined()
  })

  it('say that their bundle is no certificate, until it is mended', async () => {
    cluster = await testCluster([definitionRegistration])
    const conversion = { strategy: 'Webhook', webhook: { clientConfig: { url: 'https://a', caBundle: btoa('x') }, conversionReviewVersions: ['v1'] } }
    await make(definition('things', {}, { conversion }))
    await cluster.settle()
    expect(await told('things', 'Established')).toBe('False InvalidCABundle: The conversion webhook CABundle is invalid')
    await cluster.change(customResourceDefinitions, `things.${group}`, (mine) => (mine.spec.conversion = { strategy: 'None' }))
    await cluster.settle()
    expect(await told('things', 'Established')).toBe('True InitialNamesAccepted: the initial names have been accepted')
  })

  it('of the community tell who has seen them', async () => {
    cluster = await testCluster([definitionRegistration])
    const crd = definition('things', {}, { group: 'x.k8s.io' })
    await make({ ...crd, metadata: { name: 'things.x.k8s.io', annotations: { 'api-approved.kubernetes.io': 'unapproved' } } })
    await cluster.settle()
    const made = await cluster.get(customResourceDefinitions, 'things.x.k8s.io')
    expect(made?.status?.conditions?.at(-1)).toMatchObject({ type: 'KubernetesAPIApprovalPolicyConformant', status: 'False', reason: 'UnapprovedAnnotation', message: 'not approved: "unapproved"' })
  })

  it('go with all objects of their kind, in all namespaces', async () => {
    cluster = await testCluster([definitionRegistration, definitionCleanup])
    await make(definition('things'))
    await cluster.settle()
    for (const namespace of ['a', 'b']) for (const name of ['x', 'y']) await cluster.create(things, thing(namespace, name))
    await remove('things')
    await cluster.settle()
    expect(await got('things')).toBeUndefined()
    await make(definition('things'))
    await cluster.settle()
    expect(await cluster.list(things)).toEqual([])
  })

  it('go with their objects when no version is served any more', async () => {
    cluster = await testCluster([definitionRegistration, definitionCleanup])
    await make(definition('things'))
    await cluster.settle()
    await cluster.create(things, thing('a', 'x'))
    await cluster.change(customResourceDefinitions, `things.${group}`, (mine) => mine.spec.versions.forEach((version) => (version.served = false)))
    await remove('things')
    await cluster.settle()
    expect(await got('things')).toBeUndefined()
    await make(definition('things'))
    await cluster.settle()
    expect(await cluster.list(things)).toEqual([])
  })

  it('leave the objects of a built-in kind of their name alone', async () => {
    cluster = await testCluster([definitionRegistration, definitionCleanup])
    await cluster.create(ingressClasses, { metadata: { name: 'kept' }, spec: { controller: 'example.com/c' } })
    const crd = definition('ingressclasses', { kind: 'Mine' }, { group: 'networking.k8s.io', scope: 'Cluster', versions: definition('x').spec.versions.map((version) => ({ ...version, name: 'v9' })) })
    await make({ ...crd, metadata: { name: 'ingressclasses.networking.k8s.io', annotations: { 'api-approved.kubernetes.io': 'unapproved' } } })
    await cluster.settle()
    const mine: KindRef<AnyObject> = { group: 'networking.k8s.io', version: 'v9', kind: 'Mine', plural: 'ingressclasses', namespaced: false }
    await expect(cluster.list(mine)).rejects.toThrow('could not find the requested resource')
    await cluster.client.delete(cluster.ctx, customResourceDefinitions, { namespace: '', name: 'ingressclasses.networking.k8s.io' })
    await cluster.settle()
    expect(await cluster.get(customResourceDefinitions, 'ingressclasses.networking.k8s.io')).toBeUndefined()
    expect((await cluster.list(ingressClasses)).map((each) => each.metadata.name)).toEqual(['kept'])
  })

  it('wait for objects that somebody holds, and say so', async () => {
    cluster = await testCluster([definitionRegistration, definitionCleanup])
    await make(definition('things'))
    await cluster.settle()
    await cluster.create(things, thing('a', 'held', ['example.com/hold']))
    await remove('things')
    expect(await told('things', 'Terminating')).toMatch(/^True InstanceDeletion(Pending|InProgress)/)
    await cluster.settle(5_000)
    expect(await told('things', 'Terminating')).toBe('True InstanceDeletionInProgress: CustomResource deletion is in progress')
    await cluster.settle(60_000)
    expect(await told('things', 'Terminating')).toBe('True InstanceDeletionCheck: could not confirm zero CustomResources remaining: context deadline exceeded')
    await cluster.change(things, 'held', (mine) => delete mine.metadata.finalizers, { namespace: 'a' })
    await cluster.settle(5_000)
    expect(await got('things')).toBeUndefined()
  })

  it('go at once when they never were', async () => {
    cluster = await testCluster([definitionCleanup])
    await make(definition('things'))
    await remove('things')
    await cluster.settle()
    expect(await got('things')).toBeUndefined()
  })
})
