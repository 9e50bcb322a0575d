/**
 * What the two rounds of one request know of each other: plugins that let others change the object show it once more to
 * those who want to see later changes (upstream's reinvocation contexts of webhooks and policies).
 */
import { cloneJson, equalJson } from '../lib/json.ts'
import type { AdmissionRequest, Reinvocation } from './plugin.ts'

interface Memory {
  /** Who wants to see later changes, and has seen none since. */
  readonly called: Set<string>
  /** Those that are to be called once more. */
  readonly due: Set<string>
  /** As the first round left it. */
  left: unknown
}

export interface Round extends Memory {
  /** The second. */
  readonly again: boolean
  /** The object has changed: those that were called before are due. */
  change(request: AdmissionRequest): void
  keep(request: AdmissionRequest): void
}

/** @param name of the plugin */
export function roundOf(request: AdmissionRequest, name: string): Round {
  const again = request.reinvocation?.again === true
  const memory = (request.reinvocation?.memory.get(name) as Memory | undefined) ?? { called: new Set<string>(), due: new Set<string>(), left: undefined }
  const round: Round = {
    ...memory,
    again,
    change(changed) {
      reinvocationOf(changed).wanted = true
      for (const id of round.called) round.due.add(id)
      round.called.clear()
    },
    keep(kept) {
      const { called, due } = round
      reinvocationOf(kept).memory.set(name, { called, due, left: kept.object === undefined ? undefined : cloneJson(kept.object) } satisfies Memory)
    },
  }
  // The other plugins have changed it: everybody who wants to know is due.
  if (again && !equalJson(memory.left, request.object)) round.change(request)
  return round
}

function reinvocationOf(request: AdmissionRequest): Reinvocation {
  return (request.reinvocation ??= { wanted: false, again: false, memory: new Map() })
}
