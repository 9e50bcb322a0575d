/** Services that choose the pods of other workloads; what they choose may change. */
import { services } from '../../../core/api/core/service.ts'
import { isPodReady } from '../../../core/api/core/podstate.ts'
import type { EndpointSlice, Pod, Service } from '../../../core/api/schema/types.ts'
import { simNamespace } from '../cluster.ts'
import type { History } from '../history.ts'
import { pick, type Place, type User, type Workload, type WorkloadKind } from '../workload.ts'

export const serviceWorkload: WorkloadKind = { name: 'service', draw }

function draw({ random, index }: Place): Workload {
  const name = `front${index}`
  const drawApp = (): string => pick(random, ['web0', 'web1', 'set0'])
  const service: Service = { metadata: { name }, spec: { selector: { app: drawApp() }, ports: [{ port: 80, targetPort: 8_080 }] } }
  return {
    name,
    begin: (user) => user.create(services, service),
    acts: [
      () => {
        const app = drawApp()
        return { name: `choose ${app} by service ${name}`, run: (user: User) => user.change(services, name, (mine) => void (mine.spec = { ...mine.spec, selector: { app } })) }
      },
    ],
    lacks: (history) => lacks(history, name),
  }
}

function lacks(history: History, name: string): string | undefined {
  const app = history.all<Service>('services').get(`${simNamespace}/${name}`)?.spec?.selector?.['app']
  const want = [...history.all<Pod>('pods').values()].filter((pod) => pod.metadata.labels?.['app'] === app && isPodReady(pod)).map((pod) => pod.status?.podIP ?? '')
  const slices = [...history.all<EndpointSlice>('discovery.k8s.io/endpointslices').values()].filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name)
  const have = slices.flatMap(({ endpoints }) => (endpoints ?? []).filter(({ conditions }) => conditions?.ready === true).flatMap(({ addresses }) => addresses))
  const [wanted, had] = [want.toSorted().join(), have.toSorted().join()]
  return wanted === had ? undefined : `service ${name} has ${had}, its ready pods are ${wanted}`
}
