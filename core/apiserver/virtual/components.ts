/** ComponentStatus: every part is asked how it is when somebody wants to know (k8s.io/kubernetes/pkg/registry/core/componentstatus). */
import { notFound } from '../../api/errors.ts'
import type { AnyObject } from '../../api/meta.ts'
import type { ComponentStatus } from '../../api/schema/types.ts'
import { selectionOf } from '../../registry/select.ts'
import type { ApiServerDeps, Call, HealthCheck, Outcome } from '../deps.ts'
import { utf8 } from '../exchange.ts'
import { listQuery } from '../verbs/options.ts'

type Component = Pick<HealthCheck, 'name' | 'check'>

export async function getComponent({ components = [] }: ApiServerDeps, { info }: Call): Promise<Outcome> {
  const found = components.find(({ name }) => name === info.name)
  if (found === undefined) throw notFound({ group: '', resource: 'componentstatus' }, info.name)
  return { type: 'object', code: 200, object: { kind: 'ComponentStatus', apiVersion: 'v1', ...(await statusOf(found)) } }
}

export async function listComponents({ components = [] }: ApiServerDeps, call: Call): Promise<Outcome> {
  const { matches } = selectionOf(call.kind, listQuery(call))
  const statuses = await Promise.all(components.map(statusOf))
  const items = statuses.map((status) => {
    const object = { kind: 'ComponentStatus', apiVersion: 'v1', ...status } as unknown as AnyObject
    return { object, bytes: utf8(JSON.stringify(object)), revision: 0 }
  })
  return { type: 'list', kind: call.kind, result: { items: items.filter((item) => matches(item)), resourceVersion: '' } }
}

async function statusOf({ name, check }: Component): Promise<Pick<ComponentStatus, 'conditions'> & { readonly metadata: { readonly name: string } }> {
  let message = 'ok'
  try {
    await check()
  } catch (error) {
    message = error instanceof Error ? error.message : String(error)
  }
  return { metadata: { name }, conditions: [{ type: 'Healthy', status: message === 'ok' ? 'True' : 'False', message }] }
}
