/** A cluster to plan against: a control plane of its own with hollow nodes, whose time stands still while a plan is made. */
import { namespaces } from '../api/core/namespace.ts'
import { nodes } from '../api/core/node.ts'
import { kinds } from '../api/kinds.ts'
import type { AnyObject } from '../api/meta.ts'
import type { Client } from '../client/client.ts'
import type { Identity } from '../client/inprocess.ts'
import { bootFork } from '../fork/fork.ts'
import { hollowNode } from '../fork/hollow.ts'
import { Plane } from '../fork/plane.ts'
import { virtualClock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { kindFor } from './applying.ts'
import { readDocuments } from './documents.ts'
import { makePlan } from './make.ts'
import type { Plan } from './plan.ts'
import { planText } from './words.ts'

export const admin: Identity = { name: 'admin', groups: ['system:masters'], agent: 'test' }

export interface PlanRig {
  readonly plane: Plane
  readonly client: Client
  /** Creates what is in the text, and lets the cluster come to rest. */
  has(yaml: string): Promise<void>
  plan(yaml: string, options?: { readonly as?: Identity; readonly deletes?: boolean; readonly namespace?: string }): Promise<Plan & { readonly text: string }>
  close(): Promise<void>
}

/** `nodes`: name -> cpu. A namespace `shop` is there. */
export async function openPlanRig(sizes: Readonly<Record<string, string>> = { n1: '4', n2: '4' }): Promise<PlanRig> {
  const life = new AbortController()
  const nowMs = Date.UTC(2026, 0, 1)
  const plane = await Plane.open({ clock: virtualClock(), log: silentLog, signal: life.signal }, { state: [], nowMs, prepare: bootFork })
  const client = plane.clientAs(admin)
  for (const [name, cpu] of Object.entries(sizes)) await client.create(plane.ctx, nodes, hollowNode(name, { size: { cpu } }))
  await client.create(plane.ctx, namespaces, { metadata: { name: 'shop' } })
  await plane.settle()
  return {
    plane, client,
    async has(yaml) {
      for (const { object } of readDocuments([{ name: 'there', text: yaml }]).documents) {
        const kind = kindFor(plane.kinds(), object) ?? kindFor(kinds, object)
        if (kind === undefined) throw new Error(`no kind ${object.kind}`)
        await plane.during(client.create<AnyObject>(plane.ctx, kind, object))
        await plane.clock.advance(1_000)
      }
      await plane.settle()
    },
    async plan(yaml, { as = admin, deletes = false, namespace = 'shop' } = {}) {
      const { documents, problems } = readDocuments([{ name: 'f.yaml', text: yaml }])
      if (problems.length > 0) throw new Error(problems.join('; '))
      const revision = plane.revision()
      const made = await makePlan(plane.ctx, { client: plane.clientAs(as), documents, namespace, deletes })
      if (plane.revision() !== revision) throw new Error('the plan has written to the cluster')
      return { ...made, text: planText(made).join('\n') }
    },
    async close() {
      await plane.close()
      life.abort()
    },
  }
}
