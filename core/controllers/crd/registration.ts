/**
 * Registers CustomResourceDefinitions: gives them their names, and lets them be served. Two that want the same name at
 * the same time are told apart by a register in memory, so that many can be worked on at once.
 */
import { customResourceDefinitions } from '../../api/apiextensions/customresourcedefinition.ts'
import { isBeingDeleted } from '../../api/meta.ts'
import type { CustomResourceDefinition } from '../../api/schema/types.ts'
import { type Controller, serverIdentity } from '../controller.ts'
import { itself } from '../run.ts'
import { NameRegister } from './names.ts'
import { standingOf } from './standing.ts'

/** Each waits for a write most of the time. */
const workers = 64

export const definitionRegistration: Controller = {
  name: 'crd-registration',
  identity: serverIdentity,
  workers,
  setUp(env) {
    const register = new NameRegister((owner) => env.queue.add(owner))
    const keyOf = (crd: Readonly<CustomResourceDefinition>): string => crd.metadata.name ?? ''
    // Before anything is worked on, all names are known: whoever has one keeps it.
    env.informers.of(customResourceDefinitions).on({
      added: (crd) => register.saw(keyOf(crd), crd),
      updated: (crd) => register.saw(keyOf(crd), crd),
      deleted: (crd) => register.saw(keyOf(crd), undefined),
    })
    /** Generations whose schemas have been looked at: most changes are of the status. */
    const judged = new Map<string, string>()
    const lister = env.watch(customResourceDefinitions, itself)
    return async (ctx, key, client) => {
      const crd = lister.at(key)
      // Own writes are seen by now, or have failed.
      register.expect(key, undefined)
      if (crd === undefined) judged.delete(key)
      if (crd === undefined || isBeingDeleted(crd)) return
      const { group } = crd.spec
      const generation = `${crd.metadata.uid} ${crd.metadata.generation}`
      const how = { nowMs: env.clock.now(), schemaIsKnown: judged.get(key) === generation }
      const { status, missed } = standingOf(crd, (space, name) => register.isTaken(group, space, name), how)
      for (const [space, name] of missed) register.wait(key, group, space, name)
      if (status !== undefined) {
        register.expect(key, { group, names: status.acceptedNames ?? {} })
        await client.update(ctx, customResourceDefinitions, { ...crd, status }, { subresource: 'status' })
      }
      judged.set(key, generation)
    }
  },
}
