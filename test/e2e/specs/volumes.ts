/** Claims and volumes: what a pod writes to its claim is there for the next one, on the node where the volume is. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { webImage } from '../../support/images.ts'
import { poll } from '../../support/process.ts'
import { podsOf, settled, type LabOf, type PodRow } from './demo.ts'

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

/** Writes as nobody special, each pod to a claim of its own, of the class that there is without anybody's doing. */
const ledger = `
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: ledger }
spec:
  serviceName: ledger
  podManagementPolicy: Parallel
  replicas: 2
  selector: { matchLabels: { app: ledger } }
  template:
    metadata: { labels: { app: ledger } }
    spec:
      terminationGracePeriodSeconds: 1
      securityContext: { runAsUser: 1000 }
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, labelSelector: { matchLabels: { app: ledger } } }]
      containers:
      - name: c
        image: ${webImage('v1')}
        imagePullPolicy: IfNotPresent
        command: [sh, -c, "hostname >> /data/lines; exec sleep 3600"]
        readinessProbe: { exec: { command: [test, -s, /data/lines] }, periodSeconds: 1 }
        volumeMounts: [{ name: data, mountPath: /data }]
  volumeClaimTemplates:
  - metadata: { name: data }
    spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 100Mi } } }
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

    const storageOf = (node: string): string => join([lab().first, lab().second].find(({ name }) => name === node)?.dataDir ?? '', 'storage')
    const folderOf = (pod: PodRow): string => {
      const name = readdirSync(storageOf(pod.node)).find((folder) => folder.endsWith(`_default_data-${pod.name}`))
      return join(storageOf(pod.node), name ?? 'there is none')
    }
    const places = (pods: readonly PodRow[]): readonly string[] => pods.map(({ name, node }) => `${name} on ${node}`).toSorted()
    const lines = (pod: PodRow): string => readFileSync(join(folderOf(pod), 'lines'), 'utf8')

    it('a StatefulSet gets volumes of the default class, and its pods come back to them', async () => {
      expect(await lab().k('get storageclass')).toMatch(/local-path \(default\)\s+kubun.io\/local-path\s+Delete\s+WaitForFirstConsumer\s+false/)
      await lab().apply(ledger)
      const first = await settled(lab(), 'app=ledger', 2)
      expect(places(first)).toEqual(first[0]?.node === 'one' ? ['ledger-0 on one', 'ledger-1 on two'] : ['ledger-0 on two', 'ledger-1 on one'])
      expect(first.map(lines)).toEqual(first.map(({ name }) => `${name}\n`))
      expect((statSync(storageOf('one')).mode & 0o777).toString(8)).toBe('700')
      await lab().k('delete pod -l app=ledger')
      const second = await settled(lab(), 'app=ledger', 2)
      expect(places(second)).toEqual(places(first))
      expect(second.map(lines)).toEqual(second.map(({ name }) => `${name}\n${name}\n`))
    })

    it('what is on a volume goes with its claim', async () => {
      const pods = await podsOf(lab(), 'app=ledger')
      const folders = pods.map(folderOf)
      await lab().k('delete statefulset ledger')
      await lab().k('delete pvc data-ledger-0 data-ledger-1')
      await poll('no volumes', 30_000, async () => {
        const left = await lab().k('get pv -o name')
        return left === '' ? { left } : `there are ${left}`
      })
      expect(folders.filter((folder) => existsSync(folder))).toEqual([])
    })
  })
}
