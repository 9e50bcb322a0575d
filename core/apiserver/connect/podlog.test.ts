import { expect, it } from 'vitest'
import { nodes } from '../../api/core/node.ts'
import { pods } from '../../api/core/pod.ts'
import type { Node, Pod } from '../../api/schema/types.ts'
import { loopbackClient } from '../../client/loopback.ts'
import { inProcess } from '../inprocess.ts'
import { admin, openRig } from '../rig.fake.ts'

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
