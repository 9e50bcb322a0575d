/** Claims and volumes: what a pod writes to its claim is there for the next one, on the node where the volume is. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { webImage } from '../../support/images.ts'
import { poll } from '../../support/process.ts'
import type { LabOf } from './demo.ts'

const storage = (path: string): string => `
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: local }
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: WaitForFirstConsumer
---
apiVersion: v1
kind: PersistentVolume
metadata: { name: disk }
spec:
  capacity: { storage: 1Gi }
  accessModes: [ReadWriteOnce]
  storageClassName: local
  persistentVolumeReclaimPolicy: Retain
  local: { path: ${path} }
  nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: kubernetes.io/hostname, operator: In, values: [one] }] }] } }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data }
spec: { accessModes: [ReadWriteOnce], storageClassName: local, resources: { requests: { storage: 500Mi } } }
`

const podWith = (name: string, script: string, readOnly: boolean): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  restartPolicy: Never
  securityContext: { fsGroup: 1234 }
  containers:
  - name: c
    image: ${webImage('v1')}
    imagePullPolicy: IfNotPresent
    command: [sh, -c, "${script}"]
    volumeMounts: [{ name: data, mountPath: /data }]
  volumes:
  - { name: data, persistentVolumeClaim: { claimName: data, readOnly: ${readOnly} } }
`

export function volumeSpecs(lab: LabOf): void {
  describe('volumes', () => {
    const ended = (name: string): Promise<string> => lab().k(`wait --for=jsonpath={.status.phase}=Succeeded pod/${name} --timeout=60s`)
    const phase = (object: string): Promise<string> => lab().k(`get ${object} -o jsonpath={.status.phase}`)
    const isIn = (object: string, wanted: string): Promise<object> =>
      poll(`${object} ${wanted}`, 30_000, async () => {
        const now = await phase(object)
        return now === wanted ? { now } : `it is ${now}`
      })

    it('a claim waits for its pod, which goes where the volume is and writes to it', async () => {
      const path = join(lab().dir, 'disk')
      mkdirSync(path)
      await lab().apply(storage(path))
      await isIn('pv/disk', 'Available')
      expect(await phase('pvc/data')).toBe('Pending')
      await lab().apply(podWith('writer', 'echo kept > /data/file; id -G', false))
      await ended('writer')
      expect(await lab().k('get pod writer -o jsonpath={.spec.nodeName}')).toBe('one')
      expect([await phase('pvc/data'), await phase('pv/disk')]).toEqual(['Bound', 'Bound'])
      expect(readFileSync(join(path, 'file'), 'utf8')).toBe('kept\n')
      expect(await lab().k('logs writer')).toContain('1234')
    })

    it('the next pod reads it, and no more than that', async () => {
      await lab().apply(podWith('reader', 'cat /data/file; touch /data/more 2>/dev/null || echo refused', true))
      await ended('reader')
      expect(await lab().k('logs reader')).toBe('kept\nrefused\n')
    })

    it('the claim stays as long as a pod has it; the volume stays with what is on it', async () => {
      await lab().apply(podWith('holder', 'sleep 600', false))
      await lab().k('wait --for=condition=Ready pod/holder --timeout=60s')
      await lab().k('delete pvc data --wait=false')
      expect(await lab().k('get pvc data')).toContain('Terminating')
      await lab().k('delete pod writer reader holder --grace-period=1')
      await isIn('pv/disk', 'Released')
      expect(readFileSync(join(lab().dir, 'disk', 'file'), 'utf8')).toBe('kept\n')
      await lab().k('delete pv/disk sc/local')
    })
  })
}
