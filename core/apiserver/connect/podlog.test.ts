import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { nodes } from '../../api/core/node.ts'
import { pods } from '../../api/core/pod.ts'
import type { Node, Pod } from '../../api/schema/types.ts'
import { loopbackClient } from '../../client/loopback.ts'
import type { Call } from '../deps.ts'
import { inProcess } from '../inprocess.ts'
import { admin, openRig } from '../rig.fake.ts'
import { gather } from './podlog.ts'

it('somebody in this process reads a log as text, under its own rights', async () => {
  const rig = await openRig({})
  const api = inProcess(rig.deps)
  const client = loopbackClient(api, admin)
  await client.create<Node>(rig.ctx, nodes, { metadata: { name: 'n1' } })
  await client.create<Pod>(rig.ctx, pods, { metadata: { name: 'web', namespace: 'default' }, spec: { containers: [{ name: 'app', image: 'i' }] } })
  const ask = (who: typeof admin) => loopbackClient(api, who).ask<string>(rig.ctx, pods, { namespace: 'default', name: 'web', subresource: 'log', query: { tailLines: '5' } })
  expect(await ask(admin)).toBe('') // it has no node yet
  await expect(ask({ name: 'eve', groups: [], agent: 'test' })).rejects.toMatchObject({ reason: 'Forbidden' })
  await rig.close()
})

it('gathers what a kubelet answers, and throws what it refuses', async () => {
  const kubelet = createServer((request, response) => {
    response.writeHead(request.url === '/gone' ? 404 : 200, { 'content-type': 'text/plain' })
    response.end(request.url === '/long' ? 'x'.repeat(3_000_000) : `asked for ${request.url}`)
  }).listen(0, '127.0.0.1')
  await new Promise((listening) => kubelet.once('listening', listening))
  const { port } = kubelet.address() as AddressInfo
  const call = { ctx: { signal: new AbortController().signal }, info: { subresource: 'log', method: 'GET', name: 'web', namespace: 'default', path: '', rest: '' }, kind: {} } as unknown as Call
  const ask = (path: string): Promise<string> => gather(call, { host: '127.0.0.1', port, path })
  expect(await ask('/lines')).toBe('asked for /lines')
  await expect(ask('/gone')).rejects.toMatchObject({ code: 404 })
  await expect(ask('/long')).rejects.toMatchObject({ code: 413 })
  kubelet.close()
})
