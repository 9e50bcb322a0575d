import { describe, expect, it } from 'vitest'
import { certificateSigningRequests } from '../../api/certificates/certificatesigningrequest.ts'
import { nodes } from '../../api/core/node.ts'
import type { CertificateSigningRequest } from '../../api/schema/types.ts'
import { formatTime } from '../../api/time.ts'
import { createRequest, signers } from '../../pki/request.ts'
import { testCluster } from '../../../test/support/controllers.ts'
import { SignerRefusal } from '../controller.ts'
import { csrApprover, csrCleaner, csrSigner, servingApprover } from './certificates.ts'
import { endsAt, isOwnServing, rightsFor } from './decide.ts'

const node = { commonName: 'system:node:a', organizations: ['system:nodes'] }
const asNode = { username: 'system:node:a', groups: ['system:nodes'] }

async function request(name: string, signerName: string, names: { dns?: string[]; ip?: string[] }, who: { username: string; groups: string[] }): Promise<CertificateSigningRequest> {
  const { pem } = await createRequest(node, names)
  const usage = signerName === signers.kubeletServing ? 'server auth' : 'client auth'
  return { metadata: { name }, spec: { request: btoa(pem), signerName, usages: ['digital signature', usage], ...who } }
}

const certificatePem = '-----BEGIN CERTIFICATE-----\nQ0VSVA==\n-----END CERTIFICATE-----\n'

describe('certificate requests', () => {
  it('of a kubelet need the right of its kind', async () => {
    const client = await request('r', signers.kubeletClient, {}, asNode)
    expect(rightsFor(client).map((r) => r.subresource)).toEqual(['selfnodeclient', 'nodeclient'])
    expect(rightsFor({ ...client, spec: { ...client.spec, username: 'system:bootstrap:x' } }).map((r) => r.subresource)).toEqual(['nodeclient'])
    expect(rightsFor({ ...client, spec: { ...client.spec, usages: ['any'] } })).toEqual([])
  })

  it('for serving are a node\'s own only for what its Node says', async () => {
    const addresses = (...all: string[]) => () => ({ metadata: { name: 'a' }, status: { addresses: all.map((address) => ({ type: 'InternalIP', address })) } })
    const serving = await request('r', signers.kubeletServing, { dns: ['a'], ip: ['192.0.2.1'] }, asNode)
    expect(isOwnServing(serving, addresses('192.0.2.1'))).toBe(true)
    expect(isOwnServing(serving, addresses('192.0.2.2'))).toBe(false)
    expect(isOwnServing(serving, () => undefined)).toBe(false)
    expect(isOwnServing({ ...serving, spec: { ...serving.spec, username: 'system:node:b' } }, addresses('192.0.2.1'))).toBe(false)
  })

  it('end an hour after what was decided, or after a day', () => {
    const at = Date.UTC(2026, 0, 1)
    const base = { metadata: { name: 'r', creationTimestamp: formatTime(at) }, spec: { request: '', signerName: 'x' } }
    const decided = (type: string, certificate?: string): CertificateSigningRequest => ({
      ...base, status: { conditions: [{ type, status: 'True', lastUpdateTime: formatTime(at + 60_000) }], ...(certificate === undefined ? {} : { certificate }) },
    })
    const hours = (r: CertificateSigningRequest): number => (endsAt(r) - at) / 3_600_000
    expect([base, decided('Denied'), decided('Approved', 'c'), decided('Approved')].map((r) => Math.floor(hours(r)))).toEqual([24, 1, 1, 24])
  })

  it('are approved, signed and removed', async () => {
    const signed: string[] = []
    const cluster = await testCluster([csrApprover, servingApprover, csrSigner, csrCleaner], {
      settings: { sign: async ({ signerName, pem }) => {
        if (pem === 'bad') throw new SignerRefusal('not a request')
        signed.push(signerName)
        return certificatePem
      } },
    })
    const kubelet = cluster.clientAs({ name: asNode.username, groups: asNode.groups, agent: 'kubelet' })
    await kubelet.create(cluster.ctx, certificateSigningRequests, await request('serving', signers.kubeletServing, { dns: ['a'], ip: ['192.0.2.1'] }, asNode))
    await cluster.settle()
    const certificate = async (name: string) => (await cluster.get(certificateSigningRequests, name))?.status
    expect((await certificate('serving'))?.conditions).toBeUndefined()
    await cluster.create(nodes, { metadata: { name: 'a' } })
    await cluster.change(nodes, 'a', (mine) => (mine.status = { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] }), { subresource: 'status' })
    await cluster.settle()
    expect(await certificate('serving')).toMatchObject({ certificate: btoa(certificatePem), conditions: [{ type: 'Approved', reason: 'AutoApproved' }] })
    expect(signed).toEqual([signers.kubeletServing])
    await cluster.settle(3_700_000)
    expect(await cluster.get(certificateSigningRequests, 'serving')).toBeUndefined()
    await cluster.stop()
  })
})
