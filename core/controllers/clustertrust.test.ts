import { expect, it } from 'vitest'
import { configMaps } from '../api/core/configmap.ts'
import { createAuthority } from '../pki/certificate.ts'
import { testCluster } from '../../test/support/controllers.ts'
import { seededRandom } from '../lib/random.ts'
import { clusterTrust } from './clustertrust.ts'

it('publishes by what clients and front proxies are known, keeps what others added, and mends it', async () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  const means = { random: seededRandom(3), now }
  const pem = async (name: string, at = now): Promise<string> => (await createAuthority(name, { ...means, now: at })).certificate.pem
  const [clients, proxies, others, old] = [await pem('clients'), await pem('proxies'), await pem('others'), await pem('old', Date.parse('2010-01-01T00:00:00Z'))]
  const requestHeader = { ca: proxies, allowedNames: ['system:auth-proxy'], user: ['X-Remote-User'], uid: ['X-Remote-Uid'], group: ['X-Remote-Group'], extraPrefix: ['X-Remote-Extra-'] }
  const cluster = await testCluster([clusterTrust], { settings: { trust: { clientCa: clients, requestHeader } } })
  const read = async (): Promise<Readonly<Record<string, string>> | undefined> => (await cluster.get(configMaps, 'extension-apiserver-authentication', 'kube-system'))?.data
  await cluster.settle()
  expect(await read()).toEqual({
    'client-ca-file': clients,
    'requestheader-client-ca-file': proxies,
    'requestheader-allowed-names': '["system:auth-proxy"]',
    'requestheader-username-headers': '["X-Remote-User"]',
    'requestheader-uid-headers': '["X-Remote-Uid"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
  })
  await cluster.change(configMaps, 'extension-apiserver-authentication', (mine) => {
    mine.data = { 'client-ca-file': `${old}${others}`, 'requestheader-allowed-names': '["another"]', 'requestheader-username-headers': 'nonsense' }
  }, { namespace: 'kube-system' })
  await cluster.settle()
  expect(await read()).toMatchObject({
    'client-ca-file': others + clients,
    'requestheader-client-ca-file': proxies,
    'requestheader-allowed-names': '["another","system:auth-proxy"]',
    'requestheader-username-headers': '["X-Remote-User"]',
  })
  await cluster.stop()
})
