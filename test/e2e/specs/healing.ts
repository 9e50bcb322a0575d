/** What breaks mends itself: containers, pods, the server, a node. */
import { describe, expect, it } from 'vitest'
import { webImage } from '../../support/images.ts'
import type { ClusterLab, LabNode } from '../../support/lab.ts'
import { poll, sleep, start } from '../../support/process.ts'
import { answersFrom, getFrom, podsOf, settled, webHosts, type LabOf, type PodRow } from './demo.ts'

const nodeOf = (lab: ClusterLab, name: string): LabNode => (name === lab.first.name ? lab.first : lab.second)

/** When each running application container of both engines was started. */
async function startTimes(lab: ClusterLab): Promise<ReadonlyMap<string, string>> {
  const of = async (node: LabNode): Promise<readonly (readonly [string, string])[]> => {
    const ids = (await node.docker('ps', '-q', '--no-trunc', '--filter', 'label=io.kubernetes.docker.type=container')).split('\n').filter((id) => id !== '')
    if (ids.length === 0) return []
    const text = await node.docker('inspect', '--format', '{{.Id}} {{.State.StartedAt}}', ...ids)
    return text.trim().split('\n').map((line) => line.split(' ') as [string, string])
  }
  return new Map((await Promise.all([of(lab.first), of(lab.second)])).flat())
}

export function healingSpecs(lab: LabOf): void {
  describe('healing', () => {
    it('a killed container restarts in its pod', async () => {
      const [pod] = await settled(lab(), 'app=web', 4)
      if (pod === undefined) throw new Error('no pod')
      await nodeOf(lab(), pod.node).docker('kill', pod.containerId)
      const [after] = await poll('the container to be back', 60_000, async () => {
        const found = (await podsOf(lab(), 'app=web')).filter((p) => p.name === pod.name && p.restarts === 1 && p.ready)
        return found.length === 1 ? found : 'it is not'
      })
      expect(after).toMatchObject({ ip: pod.ip, node: pod.node })
      expect(after?.containerId).not.toBe(pod.containerId)
      expect(await lab().k(`logs ${pod.name} --previous`)).toContain(`web v1 as ${pod.name}`)
    })

    it('a deleted pod is replaced', async () => {
      const [pod] = await settled(lab(), 'app=web', 4)
      await lab().k(`delete pod ${pod?.name}`)
      const after = await settled(lab(), 'app=web', 4)
      expect(after.map((p) => p.name)).not.toContain(pod?.name)
      expect(await answersFrom(lab(), 'client-one', 'http://web')).toEqual(webHosts(after, 'v1'))
    })

    it('kill -9 of the server in the middle of a rollout: it completes, and no running container was restarted', async () => {
      await lab().k(`set image deployment/web web=${webImage('v3')}`)
      await poll('the rollout to have begun', 30_000, async () => {
        const images = await lab().k(['get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[*].spec.containers[0].image}'])
        return images.includes(webImage('v3')) ? { images } : images
      })
      await lab().killServer()
      const before = await startTimes(lab())
      const asking = start(...getFrom(lab().outside.netns, `http://${lab().second.ip}:30080/`))
      expect(await asking.exited).toBe(0) // Services go on without a server
      expect(asking.text()).toMatch(/^web-\S+ v[13]\n/)
      await sleep(1_000)
      await lab().startServer()
      expect(await lab().k('rollout status deployment/web --timeout=90s')).toContain('successfully rolled out')
      const pods = await settled(lab(), 'app=web', 4, 90_000)
      await lab().nodesReady(['one', 'two'])
      const now = await startTimes(lab())
      const survivors = [...before].filter(([id]) => now.has(id))
      for (const [id, at] of survivors) expect(now.get(id)).toBe(at)
      const clients = await podsOf(lab(), 'app=client')
      for (const pod of [...pods, ...clients]) expect(pod).toMatchObject({ restarts: 0 })
      for (const client of clients) expect(before.has(client.containerId)).toBe(true)
      expect(await answersFrom(lab(), 'client-one', 'http://web')).toEqual(webHosts(pods, 'v3'))
    })

    it('a node that goes away is noticed, and its pods are replaced', async () => {
      await lab().plug(false)
      await lab().killAgent()
      await poll('node two to be taken for dead', 60_000, async () => {
        const status = await lab().k(['get', 'node', 'two', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status} {.spec.taints[*].key}'])
        return status.startsWith('Unknown') && status.includes('node.kubernetes.io/unreachable') ? { status } : status
      })
      expect(await lab().k('get node two')).toMatch(/NotReady/)
      const pods = await poll('four ready pods on the node that is left', 90_000, async () => {
        const found = (await podsOf(lab(), 'app=web')).filter((pod: PodRow) => pod.node === 'one' && pod.ready && !pod.deleting)
        return found.length === 4 ? found : `ready on node one: ${found.length}`
      })
      expect(await answersFrom(lab(), 'client-one', 'http://web')).toEqual(webHosts(pods, 'v3'))
    })

    it('and is taken back when it returns, without the pods it lost', async () => {
      await lab().plug(true)
      await lab().startAgent()
      await lab().nodesReady(['one', 'two'])
      const pods = await settled(lab(), 'app=web', 4, 90_000)
      await poll('the old containers to be gone from node two', 60_000, async () => {
        const names = (await lab().second.docker('ps', '--filter', 'label=io.kubernetes.container.name=web', '--format', '{{.Label "io.kubernetes.pod.name"}}')).split('\n').filter((name) => name !== '')
        const strange = names.filter((name) => !pods.some((pod) => pod.name === name))
        return strange.length === 0 ? { names } : `still there: ${strange.join(', ')}`
      })
    })
  })
}
