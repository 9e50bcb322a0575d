/** Files in the server's folder of manifests become objects, and go with their files. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { poll } from '../../support/process.ts'
import type { LabOf } from './demo.ts'

const file = (value: string): string => `
apiVersion: v1
kind: ConfigMap
metadata: { name: from-file, namespace: from-file }
data: { value: ${value} }
---
apiVersion: v1
kind: Namespace
metadata: { name: from-file }
`

export function folderSpecs(lab: LabOf): void {
  describe('the folder of manifests', () => {
    const folder = (): string => join(lab().first.dataDir, 'server', 'manifests')
    const value = async (want: string): Promise<void> => {
      await poll(`the value to be ${want}`, 15_000, async () => {
        const found = await lab().k('get configmap from-file -n from-file -o jsonpath={.data.value}')
        return found === want ? { found } : found
      })
    }

    it('applies a file, in an order that works, and again when it changes', async () => {
      mkdirSync(join(folder(), 'sub'), { recursive: true })
      writeFileSync(join(folder(), 'sub', 'one.yaml'), file('first'))
      await value('first')
      writeFileSync(join(folder(), 'sub', 'one.yaml'), file('second'))
      await value('second')
    })

    it('a broken file takes nothing away', async () => {
      writeFileSync(join(folder(), 'sub', 'one.yaml'), 'apiVersion: [')
      await poll('the server to tell', 10_000, () => (/one\.yaml.*yaml: /.test(lab().tail()) ? { told: true } : 'it has not'))
      await value('second')
    })

    it('prunes what no file has any more', async () => {
      rmSync(join(folder(), 'sub'), { recursive: true })
      await poll('the namespace to go', 30_000, async () => {
        const found = await lab().kubectl('get namespace from-file')
        return found.code === 1 && found.stderr.includes('NotFound') ? { found } : found.stdout
      })
    })
  })
}
