/**
 * What a controller is: a name, what it watches, and a function that brings the world of one key to where it should
 * be. It reads listers and writes through the client it is given; it never acts on what an event said. A throw is
 * retried with back-off. The list of all is controllers.ts, how they run is run.ts.
 */
import type { Kind, KindRef } from '../api/kind.ts'
import type { KubeObject } from '../api/meta.ts'
import type { Secret, ServiceAccount } from '../api/schema/types.ts'
import type { Aggregated } from '../client/aggregated.ts'
import type { Client } from '../client/client.ts'
import type { Selection, Informers } from '../client/informers.ts'
import type { Identity } from '../client/inprocess.ts'
import type { Lister } from '../client/lister.ts'
import type { Recorder } from '../client/recorder.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { Log } from '../lib/log.ts'
import type { Random } from '../lib/random.ts'
import type { ClusterTrust } from './clustertrust.ts'

/** Brings the world of one key to where it should be. Writes through `client` are remembered: the key waits until listers show them. */
export type Reconcile = (ctx: Ctx, key: string, client: Client) => Promise<void>

export interface Controller {
  /** Upstream's name of its service account where it has one: rights and field ownership go by it. */
  readonly name: string
  /** Where it is not kube-system's service account of that name. */
  readonly identity?: Identity
  /** Component of its events, where it is not the name. */
  readonly component?: string
  /** Keys worked on at a time. */
  readonly workers?: number
  /** Called once, before anything runs: says what is watched, returns what is done. */
  readonly setUp: (env: Env) => Reconcile
}

export interface Env {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly informers: Informers
  readonly recorder: Recorder
  readonly settings: Settings
  readonly queue: {
    add(key: string): void
    /** Looks at the key again after this time. */
    after(key: string, ms: number): void
  }
  /** Work for these keys whenever an object of the kind comes, changes or goes (then the keys of what it was, too). */
  watch<T extends KubeObject>(kind: KindRef<T>, keys: (object: Readonly<T>) => readonly string[], selection?: Selection): Lister<T>
  /** Only reads: nothing is to be done when such an object changes. */
  read<T extends KubeObject>(kind: KindRef<T>): Lister<T>
}

/** What the composition root tells the controllers of this cluster. */
export interface Settings {
  /** All kinds that are served now, custom ones too. */
  readonly kinds: () => readonly Kind[]
  /** Group-versions whose kinds cannot be known now, because the server that has them does not answer. */
  readonly staleVersions?: () => readonly string[]
  /** Tells when kinds come or go. */
  readonly onKinds?: (tell: () => void) => void
  /** Ranges that nodes get their pods' ranges from: one a family. */
  readonly podCidrs: readonly string[]
  readonly nodeMaskBits: { readonly v4: number; readonly v6: number }
  readonly serviceCidr: string
  /** Addresses and port under which pods reach the API server. */
  readonly apiAddresses: readonly string[]
  readonly apiPort: number
  /** PEM of what signs the API server's certificate. */
  readonly rootCa: string
  /** The token for a Secret of type kubernetes.io/service-account-token. */
  readonly secretToken: (account: Readonly<ServiceAccount>, secret: Readonly<Secret>) => Promise<string>
  /** By what aggregated API servers know clients and this server. */
  readonly trust?: ClusterTrust
  /** How this server reaches aggregated ones. */
  readonly aggregated?: Aggregated
  /** Signs a request that was approved: PEM of the certificate. Throws SignerRefusal for what the signer does not sign. */
  readonly sign: (request: SigningRequest) => Promise<string>
  /** A node whose lease and status have not been renewed for so long is unknown. */
  readonly nodeMonitorGraceMs: number
  readonly nodeStartupGraceMs: number
  /** Zone of schedules that name none; UTC where nobody says. */
  readonly timeZone?: string
  /** Ended pods that are kept. */
  readonly terminatedPodsMax: number
}

export interface SigningRequest {
  readonly pem: string
  readonly signerName: string
  readonly usages: readonly string[]
  readonly expirationS: number | undefined
}

/** The request does not fit its signer: signing it will never work. */
export class SignerRefusal extends Error {}

export const defaultSettings = {
  nodeMaskBits: { v4: 24, v6: 64 },
  nodeMonitorGraceMs: 50_000,
  nodeStartupGraceMs: 60_000,
  terminatedPodsMax: 12_500,
} as const

/** The user that a controller acts as. */
export function identityOf(controller: Controller): Identity {
  return controller.identity ?? serviceAccountIdentity(controller.name)
}

export function serviceAccountIdentity(name: string): Identity {
  return {
    name: `system:serviceaccount:kube-system:${name}`,
    groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
    agent: 'kube-controller-manager',
  }
}

/** The server itself: what upstream's API server does under its own loopback user. */
export const serverIdentity: Identity = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'], agent: 'kube-apiserver' }

/** Reads for all controllers, once. */
export const managerIdentity: Identity = { name: 'system:kube-controller-manager', groups: ['system:authenticated'], agent: 'kube-controller-manager' }
