/**
 * Images: pull policies, back-off, credentials and upstream's words for what goes
 * wrong (pkg/kubelet/images/image_manager.go). The runtime does the pulling.
 */
import type { Ctx } from '../../core/lib/ctx.ts'
import type { Container, Pod, Secret } from '../../core/api/schema/types.ts'
import type { RegistryAuth, Runtime, RuntimeImage } from '../host/runtime.ts'
import { Backoff, goDuration } from './backoff.ts'

/** Why a container does not start: reason and message of its waiting state. */
export class StartError extends Error {
  readonly reason: string
  /** When to try again, where that is known. */
  readonly retryMs: number | undefined

  constructor(reason: string, message: string, retryMs?: number) {
    super(message)
    this.name = 'StartError'
    this.reason = reason
    this.retryMs = retryMs
  }
}

export type Tell = (type: 'Normal' | 'Warning', reason: string, message: string) => void

export interface ImageRequest {
  readonly pod: Readonly<Pod>
  readonly container: Readonly<Container>
  /** The pod's pull secrets, read when they are needed. */
  readonly secrets: () => Promise<readonly Readonly<Secret>[]>
  readonly tell: Tell
}

export interface Images {
  /** The image, pulled if the policy says so. Throws StartError. */
  ensure(ctx: Ctx, request: ImageRequest): Promise<RuntimeImage>
  /** Ids of what was pulled since the start. */
  pulled(): ReadonlySet<string>
}

const pullBackoff = { firstMs: 10_000, maxMs: 300_000 } as const

export function imageManager(runtime: Runtime): Images {
  const backoff = new Backoff(pullBackoff.firstMs, pullBackoff.maxMs)
  const lastError = new Map<string, string>()
  const pulled = new Set<string>()

  const pull = async (ctx: Ctx, { pod, container, secrets, tell }: ImageRequest, ref: string): Promise<RuntimeImage> => {
    const asked = container.image ?? ''
    const key = `${pod.metadata.uid}_${asked}`
    const now = ctx.clock.now()
    const wait = backoff.waitingSinceUpdate(key, now)
    if (wait !== undefined) {
      const text = `Back-off pulling image "${asked}"`
      tell('Normal', 'BackOff', text)
      const before = lastError.get(key)
      throw new StartError('ImagePullBackOff', before === undefined ? text : `${text}: ${before}`, wait.untilMs)
    }
    tell('Normal', 'Pulling', `Pulling image "${asked}"`)
    try {
      await runtime.pull(ctx, ref, credentialsFor(ref, await secrets()))
      const image = await runtime.image(ctx, ref)
      if (image === undefined) throw new Error('the image is not there after the pull')
      const took = goDuration(Math.floor(ctx.clock.now() - now))
      tell('Normal', 'Pulled', `Successfully pulled image "${asked}" in ${took} (${took} including waiting). Image size: ${image.sizeBytes} bytes.`)
      lastError.delete(key)
      pulled.add(image.id)
      return image
    } catch (error) {
      ctx.signal.throwIfAborted()
      const why = error instanceof Error ? error.message : String(error)
      tell('Warning', 'Failed', `Failed to pull image "${asked}": ${why}`)
      backoff.grow(key, ctx.clock.now(), ctx.clock.now())
      lastError.set(key, `ErrImagePull: ${why}`)
      throw new StartError('ErrImagePull', why, backoff.waitingSinceUpdate(key, ctx.clock.now())?.untilMs)
    }
  }
  return {
    pulled: () => pulled,
    async ensure(ctx, request) {
      const { container, tell } = request
      const asked = container.image ?? ''
      const ref = normalImage(asked)
      if (ref === undefined) {
        const text = `Failed to apply default image tag "${asked}": couldn't parse image name "${asked}": invalid reference format`
        tell('Warning', 'InspectFailed', text)
        throw new StartError('InvalidImageName', text)
      }
      const policy = container.imagePullPolicy ?? (ref.endsWith(':latest') ? 'Always' : 'IfNotPresent')
      if (policy === 'Always') return pull(ctx, request, ref)
      const have = await runtime.image(ctx, ref)
      if (have !== undefined) {
        tell('Normal', 'Pulled', `Container image "${asked}" already present on machine and can be accessed by the pod`)
        return have
      }
      if (policy === 'Never') {
        const text = `Container image "${asked}" is not present with pull policy of Never`
        tell('Warning', 'ErrImageNeverPull', text)
        throw new StartError('ErrImageNeverPull', text)
      }
      return pull(ctx, request, ref)
    },
  }
}

const part = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*'
const domain = '(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]+)?'
const reference = new RegExp(`^(?:${domain}/)?${part}(?:/${part})*(?::([\\w][\\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*:[0-9a-fA-F]{32,}))?$`)

/** The name with its default tag; undefined when it is no image name. */
export function normalImage(name: string): string | undefined {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(name)) return name
  const match = reference.exec(name)
  if (match === null) return undefined
  return match[1] === undefined && match[2] === undefined ? `${name}:latest` : name
}

/** Which registry a name means: the first part if it looks like a host, else Docker Hub. */
export function registryOf(ref: string): string {
  const [first = '', ...rest] = ref.split('/')
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? first : 'docker.io'
}

/** The entry of the pull secrets that fits the image best: the longest matching registry and path. */
export function credentialsFor(ref: string, secrets: readonly Readonly<Secret>[]): RegistryAuth | undefined {
  let best: { readonly length: number; readonly auth: RegistryAuth } | undefined
  for (const { server, entry } of secrets.flatMap(entriesOf)) {
    const bare = server.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '').replace(/^(index\.)?docker\.io$/, 'docker.io')
    const host = registryOf(ref)
    const full = host === 'docker.io' && !ref.startsWith('docker.io/') ? `docker.io/${ref}` : ref
    if (full !== bare && !full.startsWith(`${bare}/`) && host !== bare) continue
    const [user, password] = entry.auth === undefined ? [entry.username ?? '', entry.password ?? ''] : splitAuth(entry.auth)
    if (best === undefined || bare.length > best.length) best = { length: bare.length, auth: { username: user, password, server } }
  }
  return best?.auth
}

interface AuthEntry {
  readonly username?: string
  readonly password?: string
  readonly auth?: string
}

function entriesOf(secret: Readonly<Secret>): { readonly server: string; readonly entry: AuthEntry }[] {
  const modern = secret.data?.['.dockerconfigjson']
  const old = secret.data?.['.dockercfg']
  try {
    const parsed = JSON.parse(Buffer.from(modern ?? old ?? 'e30=', 'base64').toString()) as { auths?: Record<string, AuthEntry> } & Record<string, AuthEntry>
    const auths: Record<string, AuthEntry> = modern === undefined ? parsed : (parsed.auths ?? {})
    return Object.entries(auths).map(([server, entry]) => ({ server, entry }))
  } catch {
    return [] // not JSON: the API lets such secrets be, and the pull will say what it lacks
  }
}

function splitAuth(auth: string): [string, string] {
  const text = Buffer.from(auth, 'base64').toString()
  const colon = text.indexOf(':')
  return [text.slice(0, colon), text.slice(colon + 1)]
}
