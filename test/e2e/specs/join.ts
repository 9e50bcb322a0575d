/** How a second machine becomes a node, and what it is told when it may not. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { poll, type Ran } from '../../support/process.ts'
import { expectSentence } from './cli.ts'
import type { LabOf } from './demo.ts'

const tokenForm = /^K10[0-9a-f]{64}::([a-z0-9]{6}):([a-z0-9]{16})$/

export function joinSpecs(lab: LabOf): void {
  describe('joining', () => {
    const token = (...args: readonly string[]): Promise<Ran> => lab().kubun(['token', ...args, '--kubeconfig', lab().kubeconfig])
    const create = async (...args: readonly string[]): Promise<string> => (await token('create', ...args)).stdout.trim()
    const refusedDir = (): string => join(lab().second.dir, 'refused')
    const joinWith = (text: string, server = `https://${lab().first.ip}:6443`): Promise<Ran> =>
      lab().kubun(['agent', '--server', server, '--token', text, '--node-name', 'three', '--data-dir', refusedDir(), '--node-ip', lab().second.ip, '--docker-socket', lab().second.socket], { node: lab().second, timeoutMs: 30_000 })

    it('tokens are made, listed and deleted', async () => {
      const text = await create('--description', 'for a test', '--ttl', '2h')
      expect(text).toMatch(tokenForm)
      const [, id = ''] = tokenForm.exec(text) ?? []
      expect((await token('list')).stdout).toMatch(new RegExp(`^${id} +\\d{4}-\\S+Z +for a test$`, 'm'))
      expect(await token('delete', id)).toMatchObject({ code: 0 })
      expect((await token('list')).stdout).not.toContain(id)
      expectSentence(await token('delete', id), 1, new RegExp(`there is no token ${id}`))
      expectSentence(await joinWith(text), 1, /refuses the token/)
    })

    it('a wrong, expired, foreign or malformed token, and a server that is not there', async () => {
      const good = await create()
      const brief = await create('--ttl', '1s')
      expectSentence(await joinWith(good.replace(/.{4}$/, 'zzzz')), 1, /refuses the token: it is wrong or has expired/)
      expectSentence(await joinWith(good.replace(/^K10.{4}/, 'K100000')), 1, /belongs to another cluster/)
      expectSentence(await joinWith(good.replace(/^K10[0-9a-f]+::/, '')), 1, /token/)
      expectSentence(await joinWith('sesame'), 1, /token/)
      expectSentence(await joinWith(good, `https://${lab().first.ip}:1`), 1, /cannot reach/)
      await poll('the token to expire', 10_000, async () => ((await joinWith(brief)).stderr.includes('expired') ? { expired: true } : 'it still joins'))
      expect(await lab().k('get nodes -o name')).not.toContain('three')
      expect(existsSync(join(refusedDir(), 'agent', 'tls', 'client.key'))).toBe(false)
    })

    it('both nodes become ready', async () => {
      await lab().startAgent()
      await lab().nodesReady(['one', 'two'])
      const wide = await lab().k('get nodes -o wide')
      expect(wide).toMatch(new RegExp(`one +Ready +control-plane +\\S+ +v1\\.36\\.\\d\\S* +${lab().first.ip}`))
      expect(wide).toMatch(new RegExp(`two +Ready +<none> +\\S+ +v1\\.36\\.\\d\\S* +${lab().second.ip}`))
    })

    it('each with its own pod range, lease and certificates', async () => {
      const ranges = (await lab().k('get nodes -o jsonpath={.items[*].spec.podCIDR}')).split(' ')
      expect(new Set(ranges).size).toBe(2)
      for (const range of ranges) expect(range).toMatch(/^10\.42\.\d+\.0\/24$/)
      expect(await lab().k('get leases -n kube-node-lease -o name')).toMatch(/lease.coordination.k8s.io\/one\n[^]*lease.coordination.k8s.io\/two\n/)
      const requests = await lab().k('get csr')
      expect(requests).toMatch(/kubelet-serving +system:node:two .*Approved,Issued/)
      expect(requests).toMatch(/kube-apiserver-client-kubelet +system:bootstrap:\w+ .*Approved,Issued/)
      expect((await lab().k('describe node two')).replaceAll(/\s+/g, ' ')).toMatch(/KubeletReady/)
    })

    it('a node may touch only what is its own', async () => {
      const as = ['--as', 'system:node:two', '--as-group', 'system:nodes']
      expect((await lab().kubectl(['label', 'node', 'one', 'stolen=yes', ...as])).stderr).toMatch(/is not allowed to modify node "one"|cannot patch resource "nodes"/)
      expect((await lab().kubectl(['get', 'secret', '-n', 'kube-system', ...as])).stderr).toMatch(/forbidden/i)
    })
  })
}
