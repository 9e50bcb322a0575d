/** A whole API server with admission, whose webhooks are functions: by the path of their URL. */
import { kinds } from '../../api/kinds.ts'
import type { ApiError } from '../../api/errors.ts'
import { rbac } from '../../auth/authz/rbac.ts'
import { openRig, type Rig } from '../../apiserver/rig.fake.ts'
import { RegistryWorld } from '../../apiserver/world.ts'
import type { Client } from '../../client/client.ts'
import type { Remote, RemoteTarget } from '../../client/remote.ts'
import { seededRandom } from '../../lib/random.ts'
import { createMetrics, type Metrics } from '../../lib/metrics.ts'
import { admissionChain, runMutate, runValidate } from '../chain.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts'

/** What a webhook was asked: the request of its review. */
// oxlint-disable-next-line typescript/no-explicit-any -- tests look into reviews freely
export type Review = any

/** The response, but for its uid; text is the whole body; an Error is what the connection failed with. */
export type Webhook = (request: Review, at: { readonly url: string; readonly timeout: string | undefined }) => object | string | Error

export interface WebhookRig extends Rig {
  readonly calls: { readonly path: string; readonly request: Review }[]
  readonly annotations: Map<string, string>
  readonly metrics: Metrics
  /** Creates a configuration with one webhook for each entry: name -> what differs from the usual. */
  configure(kind: 'mutating' | 'validating', name: string, webhooks: Readonly<Record<string, object>>): Promise<void>
}

export async function openWebhookRig(webhooks: Readonly<Record<string, Webhook>>, remote?: Remote): Promise<WebhookRig> {
  const calls: WebhookRig['calls'] = []
  const annotations = new Map<string, string>()
  const late: { chain?: readonly AdmissionPlugin[] } = {}
  const refuse = (refused: ApiError | undefined): void => {
    if (refused !== undefined) throw refused
  }
  const seen = (request: AdmissionRequest): AdmissionRequest => ({ ...request, annotate: (key, value) => void annotations.set(key, value) })
  const rig = await openRig({
    admission: {
      mutate: async (ctx, request) => refuse(await runMutate(ctx, late.chain ?? [], seen(request))),
      validate: async (ctx, request) => refuse(await runValidate(ctx, late.chain ?? [], seen(request))),
    },
  })
  const world = await RegistryWorld.open(rig.ctx, rig.registry, kinds.filter((kind) => kind.stored && kind.conversion === undefined))
  const metrics = createMetrics()
  late.chain = admissionChain({
    lookup: world, changes: world, kinds: () => rig.registry.kinds(), authorizer: rig.deps.authorizer, rbac: rbac(world), random: seededRandom(2), metrics,
    remote: remote ?? fakeRemote(webhooks, calls), client: () => ({}) as Client,
    services: { ranges: { serviceCidr: '10.43.0.0/16', nodePorts: { from: 30_000, to: 32_767 } }, changes: world },
  })
  await rig.ask('POST', '/api/v1/namespaces', { metadata: { name: 'default' } })
  const anything = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] }
  return {
    ...rig, calls, annotations, metrics,
    async configure(kind, name, entries) {
      const plural = `${kind}webhookconfigurations`
      const body = {
        metadata: { name },
        webhooks: Object.entries(entries).map(([hook, more]) => ({
          name: `${hook}.example.org`, admissionReviewVersions: ['v1'], sideEffects: 'None', clientConfig: { url: `https://hooks/${hook}` }, rules: [anything],
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } }, ...more,
        })),
      }
      const answer = await rig.ask('POST', `/apis/admissionregistration.k8s.io/v1/${plural}`, body)
      if (answer.code !== 201) throw new Error(answer.text)
    },
  }
}

function fakeRemote(webhooks: Readonly<Record<string, Webhook>>, calls: WebhookRig['calls']): Remote {
  const pathOf = (target: RemoteTarget): string => (target.url ?? target.service?.path ?? '').split('/').at(-1) ?? ''
  return {
    send: () => Promise.reject(new Error('not here')),
    async post(_ctx, target, body, options) {
      const path = pathOf(target)
      // as it would come over the wire
      const { request, apiVersion } = JSON.parse(JSON.stringify(body)) as { request: Review; apiVersion: string }
      calls.push({ path, request })
      const said = webhooks[path]?.(request, { url: target.url ?? '', timeout: options.query?.['timeout'] }) ?? new Error(`no webhook ${path}`)
      if (said instanceof Error) throw said
      const text = typeof said === 'string' ? said : JSON.stringify({ kind: 'AdmissionReview', apiVersion, response: { uid: (request as { uid: string }).uid, ...said } })
      return { status: 200, headers: { 'content-type': 'application/json' }, body: new TextEncoder().encode(text) }
    },
  }
}

export const allow = { allowed: true }

/** A response with a JSON patch. */
export function patch(...operations: readonly object[]): object {
  return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(operations)).toString('base64') }
}
