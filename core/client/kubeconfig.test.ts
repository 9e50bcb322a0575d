import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { kubeconfigTarget } from './kubeconfig.ts'

const dir = mkdtempSync(join(tmpdir(), 'kubun-kubeconfig-'))
afterAll(() => rmSync(dir, { recursive: true }))

function targetOf(cluster: object, user: object = {}, context = 'c'): ReturnType<typeof kubeconfigTarget> {
  const path = join(dir, 'kc')
  writeFileSync(path, JSON.stringify({
    'current-context': context, contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster }], users: [{ name: 'u', user }],
  }))
  return kubeconfigTarget(path)
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

describe('a kubeconfig', () => {
  it('names a server, whom it is to be, and who we are', () => {
    writeFileSync(join(dir, 'ca.crt'), 'CA')
    writeFileSync(join(dir, 'token'), 'secret\n')
    expect(targetOf({ server: 'https://a/b', 'certificate-authority': 'ca.crt', 'tls-server-name': 'n' }, { tokenFile: 'token' })).toEqual({
      url: 'https://a/b', caBundle: base64('CA'), serverName: 'n', credentials: { token: 'secret' },
    })
    expect(targetOf({ server: 'https://a', 'insecure-skip-tls-verify': true }, { 'client-certificate-data': base64('C'), 'client-key-data': base64('K') })).toEqual({
      url: 'https://a', insecureSkipTlsVerify: true, credentials: { certificate: 'C', key: 'K' },
    })
  })

  it.each<[object, object, string]>([
    [{}, {}, 'the context names no cluster with a server'],
    [{ server: 'https://a', 'proxy-url': 'http://p' }, {}, 'proxy-url is not served'],
    [{ server: 'https://a' }, { exec: {} }, 'exec is not served: a certificate or a token signs in'],
    [{ server: 'https://a' }, { 'client-key-data': base64('K') }, 'a client certificate and its key belong together'],
  ])('%j %j is refused', (cluster, user, message) => {
    expect(() => targetOf(cluster, user)).toThrow(message)
  })

  it('without its context is refused', () => {
    expect(() => targetOf({ server: 'https://a' }, {}, 'd')).toThrow('there is no context "d"')
    writeFileSync(join(dir, 'kc'), 'apiVersion: v1\nkind: Pod\n')
    expect(() => kubeconfigTarget(join(dir, 'kc'))).toThrow('is no kubeconfig: it has no current-context')
  })

  it('says that it was to be read when it is not there', () => {
    expect(() => kubeconfigTarget(join(dir, 'none'))).toThrow('read kubeconfig')
  })
})
