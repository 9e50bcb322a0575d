/** Which driver may speak of which devices. Messages are held against upstream's in test/peers/cases/devices.ts. */
import { describe, expect, it } from 'vitest'
import { virtualClock } from '../../lib/clock.ts'
import { silentLog } from '../../lib/log.ts'
import { resourceClaims } from '../../api/resource/resourceclaim.ts'
import type { AnyObject } from '../../api/meta.ts'
import type { ResourceAttributes } from '../../auth/user.ts'
import type { AdmissionDeps } from '../deps.ts'
import { deviceAccess } from './deviceaccess.ts'

const ctx = { clock: virtualClock(), log: silentLog, signal: new AbortController().signal }
const device = { driver: 'a.b', pool: 'p', device: 'd' }
const claimOn = (node: string, devices: readonly object[]): AnyObject => ({
  apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaim', metadata: { name: 'c', namespace: 'n' }, spec: {},
  status: { allocation: { devices: {}, nodeSelector: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }] } }, devices },
})

/** Asks on behalf of a driver's pod on the node `here`; `allowed` are verbs. */
async function ask(allowed: string, node: string): Promise<{ readonly asked: readonly string[]; readonly refused: boolean }> {
  const asked: string[] = []
  const authorize = ({ verb, resource, subresource, name }: ResourceAttributes): object => {
    asked.push(`${verb} ${resource}/${subresource} ${name}`)
    return { answer: verb === allowed ? 'allow' : 'no opinion', reason: '' }
  }
  const plugin = deviceAccess({ authorizer: { authorize } } as unknown as AdmissionDeps)
  const refusal = await plugin.validate?.(ctx, {
    operation: 'UPDATE', verb: 'patch', kind: resourceClaims, subresource: 'status', namespace: 'n', name: 'c', object: claimOn(node, [device]), oldObject: claimOn(node, []),
    options: {}, dryRun: false, warn: () => {},
    user: { name: 'system:serviceaccount:n:driver', groups: [], extra: { 'authentication.kubernetes.io/node-name': ['here'] } },
  })
  return { asked, refused: refusal !== undefined }
}

describe('DeviceAccess', () => {
  it('lets a driver speak of devices on its own node with the lesser right', async () => {
    expect(await ask('associated-node:patch', 'here')).toEqual({ asked: ['associated-node:patch resourceclaims/driver a.b'], refused: false })
  })

  it('asks for the greater right where the lesser is missing, or the node is another', async () => {
    expect(await ask('arbitrary-node:patch', 'here')).toEqual({ asked: ['associated-node:patch resourceclaims/driver a.b', 'arbitrary-node:patch resourceclaims/driver a.b'], refused: false })
    expect(await ask('associated-node:patch', 'there')).toEqual({ asked: ['arbitrary-node:patch resourceclaims/driver a.b'], refused: true })
  })
})
