/** What KIND/NAME means: a built-in kind by its name, its plural, a short name, or its name in objects. */
import { kinds } from '../api/kinds.ts'
import type { Kind } from '../api/kind.ts'

/** Undefined: there is no built-in kind of this name. `deploy`, `Deployment`, `deployments.apps` are all the same. */
export function kindNamed(text: string): Kind | undefined {
  const [name = '', ...group] = text.toLowerCase().split('.')
  const groupName = group.join('.')
  return kinds.find((kind) => {
    if (!kind.stored || kind.conversion !== undefined || (groupName !== '' && kind.group !== groupName)) return false
    return kind.plural === name || kind.singular === name || kind.kind.toLowerCase() === name || kind.shortNames.includes(name)
  })
}
