/** Every target, in order. To add one: a line in a file of targets/, or a file and a line here. */
import type { Target } from './target.ts'
import { cel } from './targets/cel.ts'
import { configurations } from './targets/configurations.ts'
import { objects } from './targets/objects.ts'
import { requestTargets } from './targets/requests.ts'
import { secretTargets } from './targets/secrets.ts'
import { texts } from './targets/texts.ts'
import { wires } from './targets/wires.ts'

export async function allTargets(): Promise<readonly Target[]> {
  return [...texts, ...objects, ...cel, ...configurations, ...wires, ...(await secretTargets()), ...(await requestTargets())]
}
