/** Whole requests: lines, headers and bodies against a server in process; continue tokens among them. */
import { openRig } from '../../../core/apiserver/rig.fake.ts'
import { parseRequest } from '../../../core/apiserver/request.ts'
import { samples } from '../../peers/cases/objects.ts'
import { textTarget, type Target } from '../target.ts'

const maps = '/api/v1/namespaces/default/configmaps'
const urls = [
  '/api/v1/namespaces/a/pods/b/log?container=c&follow=1', '/apis/apps/v1/deployments?labelSelector=a%3Db&limit=5&continue=x', '/api/v1/watch/namespaces/a/pods', '/apis/a.b/v1/namespaces/n/things/t/status', '/healthz/ping?verbose',
  `${maps}?fieldSelector=metadata.name%3Da&resourceVersion=0&resourceVersionMatch=NotOlderThan`, '/api/v1/nodes/n/proxy/a/b?c=d', '/openapi/v3/apis/apps/v1?hash=x', '/api/v1/namespaces/default/services/https:a:b/proxy/x',
  ...samples.slice(0, 20).map(({ path }) => path.replace('{ns}', 'default')),
]

const crash = /evaluating '|is not a function|is not an object|is not iterable|call stack|out of memory|is not defined|Internal error occurred: .*(?:null|undefined)/

/** No request may be open for longer, as its own clock has it. */
const deadlineMs = 120_000

export async function requestTargets(): Promise<readonly Target[]> {
  const rig = await openRig()
  await rig.ask('POST', '/api/v1/namespaces', { metadata: { name: 'default' } })
  for (const name of ['a', 'b', 'c']) await rig.ask('POST', maps, { metadata: { name, labels: { a: 'b' } }, data: { a: '1' } })
  const listed = await rig.ask('GET', `${maps}?limit=1`)
  const token = (listed.json as { readonly metadata: { readonly continue: string } }).metadata.continue
  const fine = async (answer: Promise<{ readonly code: number; readonly text: string }>): Promise<void> => {
    let done = false
    const over = answer.finally(() => (done = true))
    // Versions that are yet to come are waited for, on virtual time.
    await rig.clock.until(() => done, deadlineMs)
    const { code, text } = await over
    // Some 500s are upstream's answers, too; these are the engine's own sentences.
    if (code === 500 && crash.test(text)) throw new TypeError(`answered 500: ${text.slice(0, 300)}`)
  }
  const watches = (url: string): boolean => /watch|follow/i.test(decodeURIComponent(url.replaceAll('%', '%25')))
  return [
    textTarget('request lines', urls, (url) => {
      for (const method of ['GET', 'POST', 'DELETE', 'x']) parseRequest(method, url).query.get('limit')
    }),
    textTarget('requests', urls, async (url) => {
      if (!watches(url)) await fine(rig.ask('GET', url))
    }, { share: 0.3 }),
    textTarget('accept', ['application/json;as=Table;v=v1;g=meta.k8s.io, */*;q=0.1', 'application/vnd.kubernetes.protobuf,application/json', 'text/html;q=x, application/yaml'], async (accept) => await fine(rig.ask('GET', maps, undefined, { accept })), { share: 0.2 }),
    textTarget('content types', ['application/json; charset=utf-8', 'application/yaml', 'application/vnd.kubernetes.protobuf', 'application/cbor', 'a/b;c="d\\"e"'], async (type) => await fine(rig.ask('POST', `${maps}?dryRun=All`, '{"metadata":{"name":"x"}}', { 'content-type': type })), { share: 0.2 }),
    textTarget('continue tokens', [token, Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":"a"}').toString('base64url')], async (text) => await fine(rig.ask('GET', `${maps}?limit=1&continue=${encodeURIComponent(text)}`)), { share: 0.2 }),
    textTarget('continue tokens within', ['{"v":"meta.k8s.io/v1","rv":1,"start":"default/a\\u0000"}'], async (text) => await fine(rig.ask('GET', `${maps}?limit=1&continue=${Buffer.from(text).toString('base64url')}`)), { share: 0.2 }),
    ...['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'].map((type) =>
      textTarget(`bodies (${type})`, samples.map(({ object }) => JSON.stringify(object)), async (body) => await fine(rig.ask('POST', '/api/v1/namespaces/default/pods?dryRun=All', body, { 'content-type': type })), { share: 0.1 })),
    ...['application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json', 'application/apply-patch+yaml'].map((type) =>
      textTarget(`patches (${type})`, ['[{"op":"add","path":"/data/b","value":"2"}]', '{"data":{"b":"2","a":null},"metadata":{"labels":{"x":"y"}}}', '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"c":"d"}}'], async (body) => await fine(rig.ask('PATCH', `${maps}/a?dryRun=All&fieldManager=f`, body, { 'content-type': type })), { share: 0.1 })),
  ]
}
