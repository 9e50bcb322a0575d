/** What a request takes in advance it gives back when it fails: once its work has ended, whatever its sender was told before. */
import type { ApiServerDeps, Call, Outcome } from './deps.ts'

type Handler = (deps: ApiServerDeps, call: Call) => Promise<Outcome>

export async function withUndo(handler: Handler, deps: ApiServerDeps, call: Call): Promise<Outcome> {
  const steps: (() => void)[] = []
  try {
    return await handler(deps, { ...call, onFailure: (undo) => void steps.push(undo) })
  } catch (error) {
    for (const undo of steps) undo()
    throw error
  }
}
