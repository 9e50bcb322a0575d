/** How many watch what, as far as it says how much work a write makes (k8s.io/apiserver/pkg/util/flowcontrol/watch_tracker.go). */
import type { RequestInfo } from '../request.ts'

type Watched = Pick<RequestInfo, 'group' | 'resource' | 'namespace' | 'name'>

export class Watches {
  readonly #counts = new Map<string, number>()

  /** The watch goes on until what is returned is called. */
  begin(info: RequestInfo): () => void {
    // A watch of one node's pods hears of few writes.
    const selector = info.resource === 'pods' ? (info.query.get('fieldSelector') ?? '') : ''
    if (/(^|,)spec\.nodeName==?[^,]/.test(selector)) return () => undefined
    const id = idOf(info.group, info.resource, info.namespace, info.name)
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1)
    let over = false
    return () => {
      if (over) return
      over = true
      const left = (this.#counts.get(id) ?? 1) - 1
      if (left > 0) this.#counts.set(id, left)
      else this.#counts.delete(id)
    }
  }

  /** Watches of all, of the namespace, and of the one object. */
  interested({ group, resource, namespace, name }: Watched): number {
    if (this.#counts.size === 0) return 0
    let count = this.#of(group, resource, '', '')
    if (namespace !== '') count += this.#of(group, resource, namespace, '')
    if (name !== '') count += this.#of(group, resource, namespace, name)
    return count
  }

  #of(group: string, resource: string, namespace: string, name: string): number {
    return this.#counts.get(idOf(group, resource, namespace, name)) ?? 0
  }
}

function idOf(group: string, resource: string, namespace: string, name: string): string {
  return `${group}/${resource}/${namespace}/${name}`
}
