/**
 * Binding a pod to a node, by POST to pods/NAME/binding or to bindings: once, and only while nobody deletes the pod
 * (k8s.io/kubernetes/pkg/registry/core/pod/storage/storage.go).
 */
import { withCondition } from '../../api/conditions.ts'
import { ApiError, badRequest, conflict } from '../../api/errors.ts'
import { notSupported, path, required, type FieldError } from '../../api/field.ts'
import type { AnyObject } from '../../api/meta.ts'
import type { Binding, Pod } from '../../api/schema/types.ts'
import type { Kind } from '../../api/kind.ts'
import type { ApiServerDeps, Call, Outcome } from '../deps.ts'
import { writeOptions } from '../verbs/options.ts'
import { readCreate } from './create.ts'

const target = { group: '', version: 'v1', kind: 'Binding' } as const
const bindings = { group: '', resource: 'pods/binding' } as const

export async function bindPod(deps: ApiServerDeps, call: Call): Promise<Outcome> {
  const { object, asked } = await readCreate<Binding>(deps, call, target)
  const name = object.metadata.name ?? ''
  if (call.info.name !== '' && name !== call.info.name)
    throw badRequest('name in URL does not match name in Binding object')
  checkTarget(object)
  const pods = deps.registry.kind('', 'v1', 'pods') as Kind<Pod>
  const options = {
    ...writeOptions(deps, call, asked, { operation: 'UPDATE' }),
    subresource: 'binding',
    // The binding was admitted; the pod behind it is the server's own write.
    admission: { mutate: async () => {}, validate: async () => {} },
  }
  const change = (current: AnyObject | undefined): AnyObject =>
    bind(current as unknown as Pod, object, call.ctx.clock.now()) as unknown as AnyObject
  await deps.registry.update(call.ctx, pods, { namespace: call.info.namespace, name }, change, options)
  return {
    type: 'object',
    code: 201,
    object: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 },
  }
}

/** Upstream gives these as a plain error: 500 without a reason. */
function checkTarget(binding: Binding): void {
  const at = path('target')
  const errors: FieldError[] = []
  const { kind = '', name = '' } = binding.target
  if (kind !== '' && kind !== 'Node') errors.push(notSupported(at.child('kind'), kind, ['Node', '<empty>']))
  if (name === '') errors.push(required(at.child('name')))
  if (errors.length === 0) return
  const texts = errors.map((error) => error.message())
  throw new ApiError({
    code: 500,
    reason: '',
    message: texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`,
  })
}

function bind(pod: Pod, binding: Binding, now: number): Pod {
  const name = pod.metadata.name ?? ''
  const refuse = (why: string): ApiError => conflict(bindings, name, why)
  const { uid = '', resourceVersion = '' } = binding.metadata
  if (uid !== '' && uid !== pod.metadata.uid) {
    throw conflict(
      { group: '', resource: 'pods' },
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid ?? ''}`,
    )
  }
  if (resourceVersion !== '' && resourceVersion !== pod.metadata.resourceVersion) {
    throw conflict(
      { group: '', resource: 'pods' },
      name,
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${pod.metadata.resourceVersion ?? ''}`,
    )
  }
  if (pod.metadata.deletionTimestamp !== undefined)
    throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`)
  const spec = (pod.spec ??= { containers: [] })
  if ((spec.nodeName ?? '') !== '')
    throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(spec.nodeName)}`)
  if ((spec.schedulingGates ?? []).length > 0) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`)
  spec.nodeName = binding.target.name ?? ''
  const status = (pod.status ??= {})
  delete status.nominatedNodeName
  if (binding.metadata.annotations !== undefined)
    pod.metadata.annotations = { ...pod.metadata.annotations, ...binding.metadata.annotations }
  if (binding.metadata.labels !== undefined)
    pod.metadata.labels = { ...pod.metadata.labels, ...binding.metadata.labels }
  status.conditions = withCondition(status.conditions, { type: 'PodScheduled', status: 'True' }, now)
  return pod
}
