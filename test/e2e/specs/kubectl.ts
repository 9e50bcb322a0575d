/** kubectl's commands, each as a user types it, against the running cluster. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { webImage } from '../../support/images.ts'
import { poll, sleep, start, type Ran, type Running } from '../../support/process.ts'
import { get, podsOf, settled, type LabOf } from './demo.ts'
import { clientManifest } from './manifests.ts'

/** Speaks when spoken to, so that attach has something to attach to. */
const talker = `
apiVersion: v1
kind: Pod
metadata: { name: talker }
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: ${webImage('v1')}
    stdin: true
    command: [sh, -c, "while read line; do echo you said $line; done"]
`

export function kubectlSpecs(lab: LabOf): void {
  describe('kubectl', () => {
    // `script` gives kubectl a terminal; what is typed comes from a pipe.
    const inTerminal = (words: string): Running =>
      start('nsenter', [`--net=${lab().first.netns}`, 'script', '-qec', `stty rows 40 cols 132; kubectl ${words}`, '/dev/null'], { env: { HOME: join(lab().dir, 'home'), KUBECONFIG: lab().kubeconfig, TERM: 'xterm' } })

    it('get in all its forms', async () => {
      expect(await lab().k('get all')).toMatch(/pod\/web-[^]*service\/web +NodePort[^]*deployment.apps\/web +4\/4 +4 +4[^]*replicaset.apps\/web-/)
      expect(await lab().k('get deploy web -o wide')).toMatch(/NAME +READY +UP-TO-DATE +AVAILABLE +AGE +CONTAINERS +IMAGES +SELECTOR\nweb +4\/4 +4 +4 +\S+ +web +kubun.test\/web:v1 +app=web/)
      expect(await lab().k('get pods -l app=web --no-headers --sort-by=.metadata.name')).toMatch(/^(web-\S+ +1\/1 +Running +0 +\S+\n){4}$/)
      expect(await lab().k('get pods --field-selector=spec.nodeName=one,status.phase=Running -o name')).toContain('pod/client-one')
      expect(await lab().k(['get', 'svc', 'web', '-o', 'go-template={{.spec.type}} {{(index .spec.ports 0).nodePort}}'])).toBe('NodePort 30080')
      expect(await lab().k('get pods -A -o custom-columns=NS:.metadata.namespace,NAME:.metadata.name')).toMatch(/^NS +NAME\n/)
      expect((await lab().kubectl('get pod nothing')).stderr).toBe('Error from server (NotFound): pods "nothing" not found\n')
      expect((await lab().kubectl('get nonsense')).stderr).toBe('error: the server doesn\'t have a resource type "nonsense"\n')
      const watching = lab().follow('get pods -l app=late --watch')
      await sleep(500)
      await lab().k(`run late --image=${webImage('v1')} --labels=app=late --image-pull-policy=IfNotPresent`)
      await watching.until(/late +0\/1 +Pending[^]*late +1\/1 +Running/)
      await lab().k('delete pod late --now')
      await watching.until(/late +\S+ +(Terminating|Completed)/)
      await watching.stop()
    })

    it('describe', async () => {
      const [pod] = await podsOf(lab(), 'app=web')
      const described = await lab().k(`describe pod ${pod?.name}`)
      for (const pattern of [/^Node: +(one|two)\/192/m, /^Status: +Running$/m, /^Controlled By: +ReplicaSet\/web-/m, /Liveness: +http-get http:\/\/:http\//, /^QoS Class: +Burstable$/m, /Scheduled +\S+ +default-scheduler +Successfully assigned default\/web/, /Started +\S+ +kubelet/]) {
        expect(described).toMatch(pattern)
      }
      expect(await lab().k('describe deployment web')).toMatch(/Replicas: +4 desired \| 4 updated \| 4 total \| 4 available \| 0 unavailable/)
      expect(await lab().k('describe service web')).toMatch(/Endpoints: +10\.42\.\S+:8080/)
      expect(await lab().k('describe node one')).toMatch(/Non-terminated Pods: +\(\d+ in total\)[^]*default +client-one/)
    })

    it('explain and api-resources', async () => {
      expect(await lab().k('explain deployment.spec.strategy.rollingUpdate.maxSurge')).toMatch(/GROUP: +apps[^]*FIELD: maxSurge <IntOrString>[^]*DESCRIPTION:\n +\S+/)
      expect(await lab().k('explain pod --recursive')).toMatch(/containers\t<\[\]Container> -required-/)
      const resources = await lab().k('api-resources --sort-by=name')
      for (const row of [/^deployments +deploy +apps\/v1 +true +Deployment$/m, /^nodes +no +v1 +false +Node$/m, /^networkpolicies +netpol +networking.k8s.io\/v1 +true +NetworkPolicy$/m, /^clusterroles +rbac.authorization.k8s.io\/v1 +false +ClusterRole$/m]) expect(resources).toMatch(row)
      expect(await lab().k('api-versions')).toMatch(/^apps\/v1$/m)
    })

    it('logs, with follow, tail, since and timestamps', async () => {
      const [pod] = await podsOf(lab(), 'app=web')
      const name = pod?.name ?? ''
      expect(await lab().k(`logs ${name}`)).toMatch(new RegExp(`^web v1 as ${name}\n`))
      expect((await lab().k(`logs ${name} --tail=1`)).split('\n')).toHaveLength(2)
      expect(await lab().k(`logs ${name} --timestamps --since=1h`)).toMatch(/^\d{4}-\d\d-\d\dT\S+Z web v1/)
      expect(await lab().k('logs -l app=web --prefix --tail=-1')).toMatch(/^\[pod\/web-\S+\/web\] web v1 as/m)
      const following = lab().follow(`logs -f ${name} --tail=0`)
      await sleep(500)
      await lab().k(['exec', 'client-one', '--', 'sh', '-c', get(`http://${pod?.ip}:8080/followed`)]).catch(() => '') // 404
      await following.until(/\/followed|response:404/)
      await following.stop()
    })

    it('exec: exit codes, input, and a terminal', async () => {
      expect((await lab().kubectl(['exec', 'client-one', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3']))).toEqual({ code: 3, stdout: 'out\n', stderr: 'err\ncommand terminated with exit code 3\n' })
      const big = 'x'.repeat(1_000_000)
      expect(await lab().k('exec -i client-two -- wc -c', { input: big })).toBe('1000000\n')
      const terminal = inTerminal('exec -it client-two -- sh')
      await terminal.until(/# /)
      terminal.write('tty; stty size; echo $((6*7))\r')
      await terminal.until(/\/dev\/(pts\/\d+|console)[^]*40 132[^]*\n42\r/)
      terminal.write('exit 5\r')
      expect(await terminal.exited).toBe(5)
      expect(await lab().kubectl('exec client-one -- nonsense')).toMatchObject({ code: 126, stdout: expect.stringContaining('executable file not found') })
    })

    it('attach', async () => {
      await lab().apply(talker)
      await lab().k('wait --for=condition=Ready pod/talker --timeout=30s')
      const attached = lab().follow('attach -i talker')
      await sleep(1_000)
      attached.write('good day\n')
      await attached.until(/you said good day/)
      await attached.stop()
      await lab().k('delete pod talker --now')
    })

    it('cp, to and from a pod', async () => {
      const folder = join(lab().dir, 'copied')
      mkdirSync(folder)
      writeFileSync(join(folder, 'a'), 'from the machine\n')
      writeFileSync(join(folder, 'b'), Buffer.alloc(300_000, 7))
      await lab().k(['cp', folder, 'client-two:/tmp/copied'])
      expect(await lab().k(['exec', 'client-two', '--', 'sh', '-c', 'cat /tmp/copied/a; wc -c < /tmp/copied/b'])).toBe('from the machine\n300000\n')
      await lab().k(['cp', 'client-two:/tmp/copied/b', join(folder, 'back')])
      expect(readFileSync(join(folder, 'back')).equals(Buffer.alloc(300_000, 7))).toBe(true)
    })

    it('port-forward, to a pod and to a Service', async () => {
      for (const target of ['pod/client-two 18081:8081', 'service/web 18080:80']) {
        if (target.startsWith('pod')) await lab().k(['exec', 'client-two', '--', 'sh', '-c', 'echo on loopback > /tmp/index.html; httpd -p 127.0.0.1:8081 -h /tmp'])
        const port = /(\d+):/.exec(target)?.[1] ?? ''
        const forward = lab().follow(`port-forward ${target}`)
        await forward.until(/Forwarding from 127\.0\.0\.1/)
        for (let i = 0; i < 5; i++) expect((await lab().onFirst('curl', ['-s', '-m', '5', `http://127.0.0.1:${port}/`])).stdout).toMatch(target.startsWith('pod') ? /^on loopback\n$/ : /^web-\S+ v1\n$/)
        await forward.stop()
      }
    })

    it('apply --server-side, with a conflict between managers', async () => {
      const config = (text: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: shared }\ndata: { owner: ${text} }\n`
      expect(await lab().k('apply --server-side --field-manager=anna -f -', { input: config('anna') })).toBe('configmap/shared serverside-applied\n')
      const conflict = await lab().kubectl('apply --server-side --field-manager=bert -f -', { input: config('bert') })
      expect(conflict.code).toBe(1)
      expect(conflict.stderr).toMatch(/Apply failed with 1 conflict: conflict with "anna": \.data\.owner/)
      await lab().k('apply --server-side --field-manager=bert --force-conflicts -f -', { input: config('bert') })
      expect(await lab().k('get configmap shared -o jsonpath={.data.owner}')).toBe('bert')
      expect(await lab().k(['get', 'configmap', 'shared', '--show-managed-fields', '-o', 'jsonpath={.metadata.managedFields[*].manager}'])).toBe('bert')
    })

    it('diff, label, annotate and edit', async () => {
      const changed = `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: shared }\ndata: { owner: carla }\n`
      const diff = await lab().kubectl('diff --server-side --force-conflicts -f -', { input: changed })
      expect({ code: diff.code, stderr: diff.stderr }).toEqual({ code: 1, stderr: '' })
      expect(diff.stdout).toMatch(/-  owner: bert\n\+  owner: carla/)
      expect(await lab().k('label configmap shared team=blue')).toBe('configmap/shared labeled\n')
      expect((await lab().kubectl('label configmap shared team=red')).stderr).toMatch(/already has a value/)
      expect(await lab().k('annotate configmap shared note=kept')).toBe('configmap/shared annotated\n')
      const editor = join(lab().dir, 'editor.sh')
      writeFileSync(editor, '#!/bin/sh\nsed -i "s/owner: bert/owner: dora/" "$1"\n', { mode: 0o755 })
      expect(await lab().k('edit configmap shared', { env: { EDITOR: editor } })).toBe('configmap/shared edited\n')
      expect(await lab().k(['get', 'configmap', 'shared', '-o', 'jsonpath={.data.owner} {.metadata.labels.team} {.metadata.annotations.note}'])).toBe('dora blue kept')
      await lab().k('delete configmap shared')
    })

    it('scale, and set resources, pause and resume', async () => {
      await lab().k('scale deployment web --replicas=6')
      await settled(lab(), 'app=web', 6)
      expect((await lab().kubectl('scale deployment web --replicas=1 --current-replicas=3')).stderr).toMatch(/Expected replicas to be 3, was 6/)
      await lab().k('scale deployment web --replicas=4')
      await settled(lab(), 'app=web', 4)
      expect(await lab().k('rollout pause deployment/web')).toBe('deployment.apps/web paused\n')
      expect(await lab().k('rollout resume deployment/web')).toBe('deployment.apps/web resumed\n')
    })

    it('auth can-i and whoami, and what RBAC forbids', async () => {
      expect(await lab().k(['auth', 'can-i', '*', '*'])).toBe('yes\n')
      expect(await lab().k('auth whoami -o jsonpath={.status.userInfo.groups}')).toContain('system:masters')
      await lab().k('create serviceaccount reader')
      await lab().k('create role reader --verb=get,list --resource=pods')
      await lab().k('create rolebinding reader --role=reader --serviceaccount=default:reader')
      const as = '--as=system:serviceaccount:default:reader'
      expect(await lab().k(`auth can-i list pods ${as}`)).toBe('yes\n')
      expect((await lab().kubectl(`auth can-i delete pods ${as}`))).toMatchObject({ code: 1, stdout: 'no\n' })
      expect(await lab().k(`auth can-i --list ${as}`)).toMatch(/pods +\[\] +\[\] +\[get list\]/)
      const token = (await lab().k('create token reader')).trim()
      const asReader = (words: string): Promise<Ran> =>
        lab().kubectl(`--server=https://127.0.0.1:6443 --insecure-skip-tls-verify --kubeconfig=/dev/null --token=${token} ${words}`)
      expect((await asReader('get pods -o name')).stdout).toContain('pod/client-one')
      expect((await asReader('delete pod client-one')).stderr).toBe('Error from server (Forbidden): pods "client-one" is forbidden: User "system:serviceaccount:default:reader" cannot delete resource "pods" in API group "" in the namespace "default"\n')
    })

    it('wait and events', async () => {
      expect(await lab().k('wait --for=condition=Available deployment/web --timeout=10s')).toBe('deployment.apps/web condition met\n')
      expect((await lab().kubectl('wait --for=condition=Progressing=False deployment/web --timeout=1s')).stderr).toMatch(/timed out waiting for the condition/)
      expect(await lab().k('events --for deployment/web')).toMatch(/Normal +ScalingReplicaSet +Deployment\/web +Scaled up replica set web-\S+ from 0 to 4/)
      expect(await lab().k('get events --field-selector involvedObject.kind=Pod,reason=Scheduled')).toMatch(/Successfully assigned default\/web/)
    })

    it('a pod that fits nowhere says why', async () => {
      await lab().k(['run', 'giant', `--image=${webImage('v1')}`, '--overrides={"spec":{"containers":[{"name":"giant","image":"x","resources":{"requests":{"cpu":"1000"}}}]}}'])
      await poll('the event', 20_000, async () => {
        const events = await lab().k('events --for pod/giant')
        return /FailedScheduling.*0\/2 nodes are available: 2 Insufficient cpu/.test(events) ? { events } : events
      })
      expect(await lab().k(['get', 'pod', 'giant', '-o', 'jsonpath={.status.conditions[?(@.type=="PodScheduled")].reason}'])).toBe('Unschedulable')
      await lab().k('delete pod giant --now')
    })

    it('cordon, drain and uncordon', async () => {
      await lab().k('delete pod client-two --now')
      const drained = await lab().k('drain two --ignore-daemonsets --delete-emptydir-data --force --timeout=60s')
      expect(drained).toMatch(/node\/two cordoned[^]*node\/two drained/)
      expect(await lab().k('get node two')).toMatch(/Ready,SchedulingDisabled/)
      const pods = await settled(lab(), 'app=web', 4)
      expect(new Set(pods.map((pod) => pod.node))).toEqual(new Set(['one']))
      await lab().k('uncordon two')
      await lab().apply(clientManifest('client-two', 'two'))
      await lab().k('rollout restart deployment/web')
      await lab().k('rollout status deployment/web --timeout=60s')
      const after = await settled(lab(), 'app=web', 4)
      expect(after.map((pod) => pod.node)).toContain('two')
      await lab().k('wait --for=condition=Ready pod/client-two --timeout=30s')
    })

    it('a namespace goes with all that is in it', async () => {
      await lab().k('create namespace brief')
      await lab().k(`create deployment short -n brief --image=${webImage('v1')} --replicas=2`)
      await lab().k('rollout status deployment/short -n brief --timeout=60s')
      await lab().k('delete namespace brief --timeout=60s')
      expect((await lab().kubectl('get all -n brief')).stderr).toBe('No resources found in brief namespace.\n')
    })
  })
}
