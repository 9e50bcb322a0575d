/**
 * The demonstration: the built executable, real Docker and real kubectl, two nodes
 * on this machine. One lab for all specs, which build on each other in the order
 * below; what they look at is in specs/.
 */
import { existsSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { loadImages } from '../support/images.ts'
import { executable, openClusterLab, type ClusterLab } from '../support/lab.ts'
import { cgroupsNaming, hostState, missing, mountsNaming, namespacesNaming, processesNaming } from '../support/machine.ts'
import { cliSpecs } from './specs/cli.ts'
import { dashboardLab, dashboardSpecs } from './specs/dashboard.ts'
import { folderSpecs } from './specs/folder.ts'
import { healingSpecs } from './specs/healing.ts'
import { joinSpecs } from './specs/join.ts'
import { kubectlSpecs } from './specs/kubectl.ts'
import { serverSpecs } from './specs/server.ts'
import { uninstallSpecs } from './specs/uninstall.ts'
import { volumeSpecs } from './specs/volumes.ts'
import { workloadSpecs } from './specs/workloads.ts'

const lacking = missing('kubectl', 'dockerd', 'docker', 'nft', 'ip', 'nsenter', 'busybox', 'curl', 'setpriv', 'script', executable)
const title = lacking === undefined ? 'two nodes' : `two nodes (skipped: this machine has no ${lacking})`

describe.skipIf(lacking !== undefined)(title, () => {
  let lab: ClusterLab
  let before: readonly string[]
  const labOf = (): ClusterLab => lab

  beforeAll(async () => {
    before = await hostState()
    lab = await openClusterLab()
    await Promise.all([loadImages(lab.dir, [lab.first, lab.second]), lab.startServer()])
  })

  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.log(`after "${task.name}":\n${lab.tail()}`)
  })

  afterAll(async () => {
    await lab?.end()
  })

  serverSpecs(labOf)
  cliSpecs(labOf)
  joinSpecs(labOf)
  workloadSpecs(labOf)
  volumeSpecs(labOf)
  kubectlSpecs(labOf)
  folderSpecs(labOf)
  dashboardSpecs(() => dashboardLab(lab))
  healingSpecs(labOf)
  uninstallSpecs(labOf)

  it('leaves nothing behind', async () => {
    const pods = (await lab.k(['get', 'events', '-A', '-o', 'jsonpath={.items[?(@.involvedObject.kind=="Pod")].involvedObject.uid}'])).split(' ')
    expect(pods.length).toBeGreaterThan(10)
    await lab.end()
    const after = await hostState()
    expect(after.filter((thing) => !before.includes(thing))).toEqual([])
    const left = { processes: processesNaming(lab.id), mounts: mountsNaming(lab.id), groups: cgroupsNaming(lab.id, ...pods), folder: existsSync(lab.dir), namespaces: namespacesNaming(lab.outside.name.replace(/out$/, '')) }
    expect(left).toEqual({ processes: [], mounts: [], groups: [], folder: false, namespaces: [] })
  })
})
