/** kubun uninstall: what a node leaves on its machine while it is down goes; what users have on it stays. */
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { run } from '../../support/process.ts'
import type { LabOf } from './demo.ts'

export function uninstallSpecs(lab: LabOf): void {
  describe('uninstall', () => {
    const onSecond = async (command: string, ...args: string[]): Promise<string> => (await run('nsenter', [`--net=${lab().second.netns}`, command, ...args])).stdout
    const uninstall = (...more: string[]): ReturnType<ReturnType<LabOf>['kubun']> => {
      const { second } = lab()
      return lab().kubun(['uninstall', '--data-dir', second.dataDir, '--node-name', second.name, '--docker-socket', second.socket, ...more], { node: second })
    }

    it('refuses while the node runs', async () => {
      const ran = await uninstall()
      expect([ran.code, ran.stderr.trim()]).toEqual([1, 'kubun: kubun still runs on this machine (port 10250 is in use): stop it first'])
    })

    it('takes containers, rules and devices away', async () => {
      await lab().killAgent()
      expect(await onSecond('nft', 'list', 'tables')).toContain('kubun-services')
      const storage = join(lab().second.dataDir, 'storage')
      mkdirSync(join(storage, 'pvc-1_default_data'), { recursive: true })
      const ran = await uninstall()
      expect([ran.code, ran.stderr]).toEqual([0, ''])
      expect(readdirSync(storage)).toContain('pvc-1_default_data')
      expect(await lab().second.docker('ps', '-aq')).toBe('')
      expect(await onSecond('nft', 'list', 'tables')).not.toContain('kubun')
      expect(await onSecond('ip', '-br', 'link')).not.toMatch(/^(kubun|kb)/m)
    })
  })
}
