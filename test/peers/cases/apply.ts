/** Server-side apply: conflicts, what is missing, what cannot be applied. */
import { namespaceCases, type Case, type CaseGroup } from '../case.ts'

const one = '/api/v1/namespaces/apply/configmaps/one'
const send = (name: string, manager: string, body: unknown, more: { path?: string; query?: string } = {}): Case =>
  ({ name, method: 'PATCH', path: `${more.path ?? one}?fieldManager=${manager}${more.query ?? ''}`, type: 'application/apply-patch+yaml', body })
const map = (data: object, more: object = {}): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one', ...more }, data })
const labels = { app: 'web' }
const deployments = '/apis/apps/v1/namespaces/apply/deployments/web'
const deployment = (container: object, more: object = {}): object =>
  ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'c', ...container }] } }, ...more } })

export const apply: CaseGroup = {
  name: 'apply',
  golden: true,
  cases: [
    ...namespaceCases('apply'),
    { name: 'no manager', method: 'PATCH', path: one, type: 'application/apply-patch+yaml', body: map({}) },
    send('no apiVersion', 'a', { kind: 'ConfigMap', metadata: { name: 'one' } }),
    send('no kind', 'a', { apiVersion: 'v1', metadata: { name: 'one' } }),
    send('wrong kind', 'a', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'one' } }),
    send('wrong version', 'a', { apiVersion: 'v2', kind: 'ConfigMap', metadata: { name: 'one' } }),
    send('broken', 'a', 'a: b: c'),
    send('text', 'a', 'just text'),
    send('empty', 'a', ''),
    send('managed fields in the body', 'a', map({}, { managedFields: [{ manager: 'x' }] })),
    send('uid for what is not there', 'a', map({}, { uid: '11111111-2222-3333-4444-555555555555' })),
    send('another name', 'a', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'two' } }),
    send('unknown field', 'a', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' }, datas: {} }),
    send('wrong type', 'a', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' }, data: { a: 1 } }),
    send('dry run', 'a', map({ a: '1' }), { query: '&dryRun=All' }),
    send('creates', 'a', map({ a: '1', b: '1' }, { labels: { x: 'y' } })),
    send('again changes nothing', 'a', map({ a: '1', b: '1' }, { labels: { x: 'y' } })),
    send('conflict', 'b', map({ a: '2' })),
    send('two conflicts', 'b', map({ a: '2', b: '3' }, { labels: { x: 'z' } })),
    send('same value is shared', 'b', map({ a: '1' })),
    send('conflict with what is shared', 'c', map({ a: '9' })),
    send('force', 'b', map({ a: '2' }), { query: '&force=true' }),
    { name: 'update by another', method: 'PUT', path: `${one}?fieldManager=editor`, body: { metadata: { name: 'one' }, data: { a: '2', b: '7' } } },
    send('conflict with an update', 'a', map({ a: '1', b: '1' })),
    send('gives fields up', 'b', map({})),
    send('Deployment', 'a', deployment({ image: 'i', ports: [{ containerPort: 80 }] }, { replicas: 2 }), { path: deployments }),
    send('Deployment: conflict in a list', 'b', deployment({ image: 'j' }), { path: deployments }),
    send('Deployment: two of one key', 'b', { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { template: { spec: { containers: [{ name: 'x', image: 'i' }, { name: 'x', image: 'j' }] } } } }, { path: deployments }),
    send('Deployment: element without its key', 'b', { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { template: { spec: { containers: [{ image: 'j' }] } } } }, { path: deployments }),
    send('Deployment: list for an object', 'b', { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: [] }, { path: deployments }),
    send('Deployment: becomes invalid', 'b', deployment({ image: 'i' }, { replicas: -1 }), { path: deployments, query: '&force=true' }),
    send('Deployment: drops the port', 'a', deployment({ image: 'i' }), { path: deployments }),
    send('status', 'st', { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, status: { conditions: [{ type: 'Own', status: 'True' }] } }, { path: `${deployments}/status` }),
    send('scale', 'sc', { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'web', namespace: 'apply' }, spec: { replicas: 5 } }, { path: `${deployments}/scale` }),
    { name: 'Deployment after all', path: deployments },
  ],
}
