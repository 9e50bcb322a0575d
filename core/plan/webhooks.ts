/** Admission webhooks are not called for a plan: this answers yes in their place, and keeps whom it answered for, about what. */
import type { Remote, RemoteTarget } from '../client/remote.ts'
import { equalJson } from '../lib/json.ts'
import type { WebhookCalls } from './plan.ts'

export interface Configured {
  readonly name: string
  readonly clientConfig: RemoteTarget
}

interface Review {
  readonly apiVersion: string
  readonly request: {
    readonly uid: string
    readonly operation: string
    readonly resource: { readonly group: string; readonly resource: string }
    readonly subResource?: string
    readonly namespace?: string
    readonly name?: string
  }
}

/** Past these the rest is a number. */
const requestsMax = 20

export class SilentWebhooks {
  readonly #configured: readonly Configured[]
  readonly #asked = new Map<string, Set<string>>()

  constructor(configured: readonly Configured[]) {
    this.#configured = configured
  }

  /** Forgets what was asked so far. */
  clear(): void {
    this.#asked.clear()
  }

  calls(): readonly WebhookCalls[] {
    return [...this.#asked].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([webhook, asked]) => {
      const all = [...asked].toSorted()
      return { webhook, requests: all.length <= requestsMax ? all : [...all.slice(0, requestsMax), `and ${all.length - requestsMax} more`] }
    })
  }

  readonly remote: Remote = {
    post: (_ctx, target, body) => {
      const { apiVersion, request } = body as Review
      const { group, resource } = request.resource
      const what = `${resource}${group === '' ? '' : `.${group}`}${(request.subResource ?? '') === '' ? '' : `/${request.subResource}`}`
      // Pods are many, and have random names.
      const name = resource === 'pods' ? '' : ` ${(request.namespace ?? '') === '' ? '' : `${request.namespace}/`}${request.name ?? ''}`
      for (const webhook of this.#namesOf(target)) this.#asked.set(webhook, (this.#asked.get(webhook) ?? new Set()).add(`${request.operation.toLowerCase()} ${what}${name}`))
      const answer = { apiVersion, kind: 'AdmissionReview', response: { uid: request.uid, allowed: true } }
      return Promise.resolve({ status: 200, headers: { 'content-type': 'application/json' }, body: new TextEncoder().encode(JSON.stringify(answer)) })
    },
    send: () => Promise.reject(new Error('a plan reaches nothing outside')),
  }

  /** Several may stand behind one address. */
  #namesOf({ url, service }: RemoteTarget): readonly string[] {
    const found = this.#configured.filter(({ clientConfig }) => clientConfig.url === url && equalJson(clientConfig.service, service)).map(({ name }) => name)
    return found.length > 0 ? [...new Set(found)] : [url ?? `service ${service?.namespace ?? ''}/${service?.name ?? ''}`]
  }
}
