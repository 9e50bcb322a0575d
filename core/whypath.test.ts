import { afterEach, expect, it } from 'vitest'
import { deployments } from './api/apps/deployment.ts'
import { services } from './api/core/service.ts'
import { roles } from './api/rbac/role.ts'
import { roleBindings } from './api/rbac/rolebinding.ts'
import { clusterRoleBindings } from './api/rbac/clusterrolebinding.ts'
import type { User } from './auth/user.ts'
import type { Answer } from './why/finding.ts'
import { asks, openLab } from './why/lab.fake.ts'
import { answerWhy } from './whypath.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function waitingPod(): Promise<{ ask: (user: User, query: string, signal?: AbortSignal) => Promise<Answer>; lab: Awaited<ReturnType<typeof openLab>> }> {
  const lab = await openLab()
  ends.push(lab.close)
  await lab.node('n1')
  await lab.pod('web', asks('5'))
  await lab.settle()
  return { lab, ask: (user, query, signal) => answerWhy(lab.fork.api, { ctx: { ...lab.fork.ctx, ...(signal === undefined ? {} : { signal }) }, user, query: new URLSearchParams(query) }) }
}

const ann: User = { name: 'ann', groups: ['system:authenticated'] }
const viewer = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' }
const toAnn = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'ann' }]

it('who may read nothing is told nothing', async () => {
  const { ask } = await waitingPod()
  await expect(ask(ann, 'kind=Pod&namespace=default&name=web')).rejects.toMatchObject({ reason: 'Forbidden', code: 403 })
  await expect(ask({ name: 'system:anonymous', groups: ['system:unauthenticated'] }, 'kind=Pod&name=web')).rejects.toMatchObject({ code: 401 })
})

it('who may not read nodes is told what the scheduler wrote, and what could not be read', async () => {
  const { ask, lab } = await waitingPod()
  await lab.create(roleBindings, { metadata: { name: 'ann', namespace: 'default' }, roleRef: viewer, subjects: toAnn })
  await lab.settle()
  const answer = await ask(ann, 'kind=Pod&namespace=default&name=web')
  expect(answer.cause).toBe('pod default/web is not scheduled: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.')
  expect(answer.unread).toEqual(['nodes', 'pods of all namespaces'])
})

it('what may not be read is never taken for absent', async () => {
  const { ask, lab } = await waitingPod()
  const rules = [{ apiGroups: ['', 'apps'], resources: ['services', 'deployments', 'endpointslices'], verbs: ['get'] }]
  await lab.create(roles, { metadata: { name: 'few', namespace: 'default' }, rules })
  await lab.create(roleBindings, { metadata: { name: 'ann', namespace: 'default' }, roleRef: { ...viewer, kind: 'Role', name: 'few' }, subjects: toAnn })
  await lab.create(services, { metadata: { name: 'web', namespace: 'default' }, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } })
  await lab.create(deployments, { metadata: { name: 'web', namespace: 'default' }, spec: { selector: { matchLabels: { app: 'x' } }, template: { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'app', image: 'web:1' }] } } } })
  await lab.settle()
  expect((await ask(ann, 'kind=Service&name=web')).cause).toBe('service default/web cannot be looked into: you may not read the pods and endpoints of its namespace')
  expect((await ask(ann, 'kind=Deployment&name=web')).cause).toBe('deployment default/web has 0 of 1 pod ready, and you may not read its pods, which would say why')
})

it('what may not be read is never taken for being there', async () => {
  const { ask, lab } = await waitingPod()
  await lab.create(roleBindings, { metadata: { name: 'ann', namespace: 'default' }, roleRef: viewer, subjects: toAnn })
  await lab.pod('app', { nodeName: 'n1', imagePullSecrets: [{ name: 'regcred' }] })
  await lab.says('app', { phase: 'Pending', containerStatuses: [{ name: 'app', image: 'web:1', imageID: '', ready: false, restartCount: 0, state: { waiting: { reason: 'ErrImagePull', message: 'unauthorized' } } }] })
  await lab.settle()
  const answer = await ask(ann, 'kind=Pod&name=app')
  expect(answer.cause).toBe('pod default/app cannot pull the image web:1: the registry wants credentials, or there is no such repository')
  expect(answer.findings[0]?.sections.find(({ title }) => title === 'pull secrets')?.lines).toEqual(['regcred: you may not read it'])
})

it('who may read the cluster is told what is lacking', async () => {
  const { ask, lab } = await waitingPod()
  await lab.create(clusterRoleBindings, { metadata: { name: 'ann' }, roleRef: { ...viewer, name: 'cluster-admin' }, subjects: toAnn })
  await lab.settle()
  const answer = await ask(ann, 'kind=pods&namespace=default&name=web')
  expect({ cause: answer.cause, healthy: answer.healthy, unread: answer.unread }).toEqual({ cause: 'pod default/web does not fit on the only node, n1: it lacks 1 cpu', healthy: false, unread: [] })
})

it.each([['kind=Nothing&name=web', 400], ['kind=Pod', 400], ['kind=Pod&name=a/b', 400], ['kind=Pod&namespace=..&name=web', 400], ['kind=Pod&name=gone', 404]])('%s is answered %i', async (query, code) => {
  const { ask } = await waitingPod()
  await expect(ask({ name: 'root', groups: ['system:masters', 'system:authenticated'] }, query)).rejects.toMatchObject({ code })
})
