/** The server by itself: what kubectl asks of an API server before there is any node. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { LabOf } from './demo.ts'

export function serverSpecs(lab: LabOf): void {
  describe('the server', () => {
    it('is ready, and tells its version', async () => {
      expect(await lab().k('get --raw /livez')).toBe('ok')
      expect(await lab().k(['get', '--raw', '/readyz?verbose'])).toMatch(/readyz check passed/)
      expect(await lab().k('version')).toMatch(/Server Version: v1\.36\./)
      expect(await lab().k('get --raw /metrics')).toMatch(/^apiserver_request_total\{/m)
    })

    it('keeps its secrets to itself', () => {
      expect(statSync(lab().kubeconfig).mode & 0o777).toBe(0o600)
      expect(statSync(join(lab().first.dataDir, 'server')).mode & 0o077).toBe(0)
    })

    it('has the namespaces, roles, Services and priority classes of a new cluster', async () => {
      const namespaces = await lab().k('get namespaces -o name')
      for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) expect(namespaces).toContain(`namespace/${name}\n`)
      expect(await lab().k('get clusterrole cluster-admin view edit -o name')).toMatch(/cluster-admin[^]*view[^]*edit/)
      expect(await lab().k('get service kubernetes -o jsonpath={.spec.clusterIP}')).toBe('10.43.0.1')
      expect(await lab().k('get service kube-dns -n kube-system -o jsonpath={.spec.clusterIP}')).toBe('10.43.0.10')
      expect(await lab().k('get priorityclass')).toMatch(/system-node-critical +2000001000/)
      expect(await lab().k('get serviceaccount default -o name')).toBe('serviceaccount/default\n')
      expect(await lab().k('get configmap kube-root-ca.crt -o name')).toBe('configmap/kube-root-ca.crt\n')
    })

    it('lets nobody in without a name', async () => {
      const ask = (...args: readonly string[]): Promise<{ readonly stdout: string }> => lab().onFirst('curl', ['-sk', '-o', '/dev/null', '-w', '%{http_code}', ...args])
      expect((await ask('https://127.0.0.1:6443/api/v1/pods')).stdout).toBe('403')
      expect((await ask('-H', 'Authorization: Bearer nonsense', 'https://127.0.0.1:6443/api/v1/pods')).stdout).toBe('401')
      expect((await ask('https://127.0.0.1:6443/version')).stdout).toBe('200')
      expect((await ask('--http1.1', 'https://127.0.0.1:6443/healthz')).stdout).toBe('200')
    })

    it('leaves nothing in the temporary folder', () => {
      expect(existsSync(join(lab().dir, 'tmp'))).toBe(true)
    })
  })
}
