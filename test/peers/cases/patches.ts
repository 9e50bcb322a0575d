/** JSON, merge and strategic patches that do not apply, and some that do. */
import { namespaceCases, type Case, type CaseGroup } from '../case.ts'

const one = '/apis/apps/v1/namespaces/patches/deployments/one'
const json = 'application/json-patch+json'
const merge = 'application/merge-patch+json'
const strategic = 'application/strategic-merge-patch+json'
const patch = (name: string, type: string, body: unknown, query = ''): Case => ({ name, method: 'PATCH', path: `${one}${query}`, type, body })

const labels = { app: 'one' }
const deployment = {
  metadata: { name: 'one' },
  spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i', env: [{ name: 'A', value: '1' }] }] } } },
}

export const patches: CaseGroup = {
  name: 'patches',
  golden: true,
  cases: [
    ...namespaceCases('patches'),
    { name: 'create', method: 'POST', path: '/apis/apps/v1/namespaces/patches/deployments', body: deployment, save: { old: 'metadata.resourceVersion' } },
    patch('unknown type', 'application/json', {}),
    patch('JSON: not a list', json, { op: 'add' }),
    patch('JSON: broken', json, '[{'),
    patch('JSON: empty body', json, ''),
    patch('JSON: unknown op', json, [{ op: 'frob', path: '/spec' }]),
    patch('JSON: no path', json, [{ op: 'add', value: 1 }]),
    patch('JSON: test that fails', json, [{ op: 'test', path: '/spec/replicas', value: 9 }]),
    patch('JSON: test of what is not there', json, [{ op: 'test', path: '/spec/nonsense', value: 9 }]),
    patch('JSON: remove what is not there', json, [{ op: 'remove', path: '/metadata/labels/x' }]),
    patch('JSON: replace what is not there', json, [{ op: 'replace', path: '/spec/nonsense', value: 1 }]),
    patch('JSON: add under nothing', json, [{ op: 'add', path: '/a/b/c', value: 1 }]),
    patch('JSON: index out of range', json, [{ op: 'add', path: '/spec/template/spec/containers/9', value: {} }]),
    patch('JSON: copy from nothing', json, [{ op: 'copy', from: '/nothing', path: '/spec/replicas' }]),
    patch('JSON: move from nothing', json, [{ op: 'move', from: '/nothing', path: '/spec/replicas' }]),
    patch('JSON: wrong type', json, [{ op: 'replace', path: '/spec/replicas', value: 'x' }]),
    patch('JSON: unknown field, Strict', json, [{ op: 'add', path: '/spec/nonsense', value: 1 }], '?fieldValidation=Strict'),
    patch('JSON: unknown field, Warn', json, [{ op: 'add', path: '/spec/nonsense', value: 1 }]),
    patch('JSON: makes it invalid', json, [{ op: 'replace', path: '/spec/replicas', value: -1 }]),
    patch('JSON: removes the name', json, [{ op: 'remove', path: '/metadata/name' }]),
    patch('JSON: applies', json, [{ op: 'replace', path: '/spec/replicas', value: 2 }, { op: 'add', path: '/metadata/labels', value: { a: 'b' } }]),
    patch('merge: broken', merge, '{"spec":'),
    patch('merge: a list', merge, []),
    patch('merge: wrong type', merge, { spec: { replicas: 'x' } }),
    patch('merge: container without an image', merge, { spec: { template: { spec: { containers: [{ name: 'c' }] } } } }),
    patch('merge: another name', merge, { metadata: { name: 'two' } }),
    patch('merge: another namespace', merge, { metadata: { namespace: 'two' } }),
    patch('merge: another uid', merge, { metadata: { uid: '11111111-2222-3333-4444-555555555555' } }),
    patch('merge: old version', merge, { metadata: { resourceVersion: '{{old}}', labels: { x: 'y' } } }),
    patch('merge: selector', merge, { spec: { selector: { matchLabels: { app: 'two' } }, template: { metadata: { labels: { app: 'two' } } } } }),
    patch('merge: unknown field, Strict', merge, { spec: { nonsense: 1 } }, '?fieldValidation=Strict'),
    patch('merge: duplicate field, Strict', merge, '{"spec":{"replicas":1,"replicas":2}}', '?fieldValidation=Strict'),
    patch('JSON: duplicate field, Strict', json, '[{"op":"test","path":"/spec/replicas","value":2,"value":2}]', '?fieldValidation=Strict'),
    patch('strategic: duplicate field, Strict', strategic, '{"spec":{"replicas":1,"replicas":2}}', '?fieldValidation=Strict'),
    patch('merge: duplicate field, Warn', merge, '{"spec":{"replicas":1,"replicas":2}}'),
    patch('merge: force', merge, {}, '?force=true'),
    patch('merge: applies', merge, { spec: { replicas: 3, minReadySeconds: 5 } }),
    patch('strategic: broken', strategic, '{'),
    patch('strategic: a list', strategic, []),
    patch('strategic: wrong type', strategic, { spec: { replicas: 'x' } }),
    patch('strategic: list for an object', strategic, { spec: [] }),
    patch('strategic: element without its key', strategic, { spec: { template: { spec: { containers: [{ image: 'x' }] } } } }),
    patch('strategic: unknown directive', strategic, { spec: { $patch: 'frob' } }),
    patch('strategic: unknown field, Strict', strategic, { spec: { nonsense: 1 } }, '?fieldValidation=Strict'),
    patch('strategic: unknown field, Warn', strategic, { spec: { nonsense: 1 } }),
    patch('strategic: makes it invalid', strategic, { spec: { template: { spec: { containers: [{ name: 'd' }] } } } }),
    patch('strategic: order that does not fit', strategic, { spec: { template: { spec: { containers: [{ name: 'e', image: 'i' }], '$setElementOrder/containers': [{ name: 'c' }] } } } }),
    patch('strategic: adds and removes', strategic, { spec: { template: { spec: { containers: [{ name: 'c', env: [{ name: 'A', $patch: 'delete' }, { name: 'B', value: '2' }] }, { name: 'd', image: 'j' }] } } } }),
    { name: 'status by its subresource', method: 'PATCH', path: `${one}/status`, type: merge, body: { status: { replicas: 2 }, spec: { replicas: 9 } } },
    { name: 'scale by a patch', method: 'PATCH', path: `${one}/scale`, type: merge, body: { spec: { replicas: 4 } } },
    { name: 'scale below zero', method: 'PATCH', path: `${one}/scale`, type: merge, body: { spec: { replicas: -4 } } },
    { name: 'scale by a put with another name', method: 'PUT', path: `${one}/scale`, body: { metadata: { name: 'two' }, spec: { replicas: 1 } } },
    { name: 'scale with an old version', method: 'PUT', path: `${one}/scale`, body: { metadata: { name: 'one', namespace: 'patches', resourceVersion: '{{old}}' }, spec: { replicas: 1 } } },
    { name: 'scale', path: `${one}/scale` },
  ],
}
