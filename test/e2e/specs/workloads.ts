/** A Deployment with all that goes with it, over two nodes, and its updates. */
import { describe, expect, it } from 'vitest'
import { webImage } from '../../support/images.ts'
import { poll, start } from '../../support/process.ts'
import { answersFrom, get, podsOf, settled, webHosts, type LabOf } from './demo.ts'
import { clientManifest, webManifest } from './manifests.ts'

const inCluster = 'http://web.default.svc.cluster.local'

export function workloadSpecs(lab: LabOf): void {
  describe('workloads', () => {
    it('a Deployment with ConfigMap, Secret and Service rolls out over both nodes', async () => {
      const applied = await lab().apply(webManifest('v1'))
      expect(applied).toBe('configmap/web created\nsecret/web created\nservice/web created\ndeployment.apps/web created\n')
      await lab().apply(`${clientManifest('client-one', 'one')}---${clientManifest('client-two', 'two')}`)
      expect(await lab().k('rollout status deployment/web --timeout=60s')).toContain('deployment "web" successfully rolled out')
      const pods = await settled(lab(), 'app=web', 4)
      expect(new Set(pods.map((pod) => pod.node))).toEqual(new Set(['one', 'two']))
      expect(new Set(pods.map((pod) => pod.ip)).size).toBe(4)
      await lab().k('wait --for=condition=Ready pod/client-one pod/client-two --timeout=60s')
    })

    it('ConfigMap, Secret, downward API and the service account reach the containers', async () => {
      const [pod] = await podsOf(lab(), 'app=web')
      const inPod = (script: string): Promise<string> => lab().k(['exec', pod?.name ?? '', '--', 'sh', '-c', script])
      expect(await inPod('echo $GREETING, $PASSWORD, $POD_IP, $NODE')).toBe(`hello, open sesame, ${pod?.ip}, ${pod?.node}\n`)
      expect(await inPod('cat /config/greeting; echo; cat /config/mode; echo; cat /secret/password; echo; echo kept > /scratch/x; cat /scratch/x')).toBe('hello\n0644\nopen sesame\nkept\n')
      expect(await inPod('cd /var/run/secrets/kubernetes.io/serviceaccount; cat namespace; echo; head -1 ca.crt; cut -c1-2 token; echo $KUBERNETES_SERVICE_HOST')).toBe('default\n-----BEGIN CERTIFICATE-----\ney\n10.43.0.1\n')
      expect(await inPod('cat /etc/resolv.conf')).toMatch(/search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local.*\nnameserver 10\.43\.0\.10\noptions ndots:5/)
    })

    it('from a pod on each node the Service name answers from all four', async () => {
      const hosts = webHosts(await podsOf(lab(), 'app=web'), 'v1')
      expect(await answersFrom(lab(), 'client-one', inCluster)).toEqual(hosts)
      expect(await answersFrom(lab(), 'client-two', inCluster)).toEqual(hosts)
      expect(await answersFrom(lab(), 'client-two', 'http://web')).toEqual(hosts)
    })

    it('the NodePort answers on both nodes, from a machine outside and from a node itself', async () => {
      const hosts = webHosts(await podsOf(lab(), 'app=web'), 'v1')
      const ask = (netns: string, ip: string): Promise<readonly string[]> =>
        poll(`NodePort of ${ip}`, 15_000, async () => {
          const asking = start('nsenter', [`--net=${netns}`, 'sh', '-c', `for i in $(seq 40); do curl -s -m 5 http://${ip}:30080/ || echo LOST; done`])
          await asking.exited
          const found = [...new Set(asking.text().trim().split('\n'))].toSorted()
          return found.length === 4 ? found : `answers: ${found.join(', ')}`
        })
      expect(await ask(lab().outside.netns, lab().first.ip)).toEqual(hosts)
      expect(await ask(lab().outside.netns, lab().second.ip)).toEqual(hosts)
      expect(await ask(lab().first.netns, lab().first.ip)).toEqual(hosts)
    })

    it('a changed ConfigMap reaches the volume', async () => {
      await lab().k(['patch', 'configmap', 'web', '-p', '{"data":{"greeting":"good day"}}'])
      await poll('the new greeting in the volume', 90_000, async () => {
        const now = await lab().k('exec deploy/web -- cat /config/greeting')
        return now === 'good day' ? { now } : `it is ${now}`
      })
    })

    it('a rolling update loses no request', async () => {
      const loop = (ask: string, flag: string): string => `until [ -e ${flag} ]; do ${ask} || echo LOST; done; rm ${flag}`
      const inside = ['client-one', 'client-two'].map((pod) => lab().follow(['exec', pod, '--', 'sh', '-c', loop(get(inCluster), '/tmp/stop')]))
      const flag = `${lab().dir}/tmp/stop`
      const fromOutside = start('nsenter', [`--net=${lab().outside.netns}`, 'sh', '-c', loop(`curl -s -m 5 http://${lab().first.ip}:30080/`, flag)])
      try {
        await lab().k(`set image deployment/web web=${webImage('v2')}`)
        expect(await lab().k('rollout status deployment/web --timeout=90s')).toContain('successfully rolled out')
        await settled(lab(), 'app=web', 4)
      } finally {
        await Promise.all([...['client-one', 'client-two'].map((pod) => lab().kubectl(`exec ${pod} -- touch /tmp/stop`)), lab().onFirst('touch', [flag])])
      }
      await Promise.all([...inside, fromOutside].map((loop) => loop.exited))
      for (const asked of [...inside, fromOutside]) {
        const answers = asked.text().trim().split('\n')
        expect(answers.filter((line) => !/^web-\S+ v[12]$/.test(line))).toEqual([])
        expect(answers.length).toBeGreaterThan(50)
        expect(new Set(answers.map((line) => line.split(' ')[1]))).toEqual(new Set(['v1', 'v2']))
      }
    })

    it('rollout undo goes back', async () => {
      expect(await lab().k('rollout history deployment/web')).toMatch(/^1 .*\n2 /m)
      expect(await lab().k('rollout undo deployment/web')).toContain('deployment.apps/web rolled back')
      await lab().k('rollout status deployment/web --timeout=90s')
      const pods = await settled(lab(), 'app=web', 4)
      expect(await answersFrom(lab(), 'client-two', inCluster)).toEqual(webHosts(pods, 'v1'))
    })

    it('a Service without ready endpoints refuses at once', async () => {
      await lab().k('create service clusterip hollow --tcp=80:8080')
      const asked = await lab().kubectl(['exec', 'client-one', '--', 'sh', '-c', 'timeout 5 wget -O - http://hollow'])
      expect(asked.stderr).toMatch(/refused/)
      await lab().k('delete service hollow')
    })
  })
}
