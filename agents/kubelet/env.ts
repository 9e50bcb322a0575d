/**
 * A container's environment: service links, envFrom, env with its sources, and the
 * $(NAME) references in values, commands and arguments
 * (pkg/kubelet/kubelet_pods.go makeEnvironmentVariables, third_party/forked/golang/expansion).
 */
import { notFound } from '../../core/api/errors.ts'
import type { ConfigMap, Container, EnvVarSource, Pod, Secret, Service } from '../../core/api/schema/types.ts'
import { bracketed } from '../../core/lib/ip.ts'
import { fieldValue, resourceValue, type FieldEnv } from './fields.ts'
import { findContainer } from './spec.ts'

/** Objects in the pod's namespace; undefined when they are not there. */
export interface PodObjects {
  configMap(name: string): Promise<Readonly<ConfigMap> | undefined>
  secret(name: string): Promise<Readonly<Secret> | undefined>
}

export interface EnvInput {
  readonly pod: Readonly<Pod>
  readonly container: Readonly<Container>
  readonly services: readonly Readonly<Service>[]
  readonly objects: PodObjects
  readonly fields: FieldEnv
}

/** Throws with upstream's words for a missing object or key: the container then waits in CreateContainerConfigError. */
export async function environmentOf(input: EnvInput): Promise<ReadonlyMap<string, string>> {
  const { pod, container } = input
  const links = serviceEnv(pod, input.services)
  const env = await envFrom(input)
  const lookUp = (name: string): string | undefined => env.get(name) ?? links.get(name)
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (value !== undefined && value !== '') env.set(name, expand(value, lookUp))
    else if (valueFrom === undefined) env.set(name, '')
    else {
      const sourced = await fromSource(input, valueFrom)
      if (sourced !== undefined) env.set(name, sourced)
    }
  }
  for (const [name, value] of links) if (!env.has(name)) env.set(name, value)
  return env
}

async function envFrom({ container, objects }: EnvInput): Promise<Map<string, string>> {
  const env = new Map<string, string>()
  for (const source of container.envFrom ?? []) {
    const { configMapRef, secretRef, prefix = '' } = source
    if (configMapRef !== undefined) {
      const object = await objects.configMap(configMapRef.name ?? '')
      if (object === undefined && configMapRef.optional !== true) throw notFound({ group: '', resource: 'configmap' }, configMapRef.name ?? '')
      for (const [key, value] of Object.entries(object?.data ?? {})) env.set(prefix + key, value)
    } else if (secretRef !== undefined) {
      const object = await objects.secret(secretRef.name ?? '')
      if (object === undefined && secretRef.optional !== true) throw notFound({ group: '', resource: 'secret' }, secretRef.name ?? '')
      for (const [key, value] of Object.entries(object?.data ?? {})) env.set(prefix + key, Buffer.from(value, 'base64').toString())
    }
  }
  return env
}

/** undefined: optional and not there, so the variable is not set. */
async function fromSource(input: EnvInput, source: Readonly<EnvVarSource>): Promise<string | undefined> {
  const { pod, container, objects, fields } = input
  if (source.fieldRef !== undefined) return fieldValue(pod, source.fieldRef, fields)
  if (source.resourceFieldRef !== undefined) {
    const named = source.resourceFieldRef.containerName
    const of = named === undefined || named === '' ? container : findContainer(pod, named)?.container
    if (of === undefined) throw new Error(`container ${named} not found`)
    return resourceValue(of, source.resourceFieldRef, fields)
  }
  if (source.configMapKeyRef !== undefined) {
    const { name = '', key, optional } = source.configMapKeyRef
    const object = await objects.configMap(name)
    if (object === undefined && optional !== true) throw notFound({ group: '', resource: 'configmap' }, name)
    const value = object?.data?.[key]
    if (value === undefined && object !== undefined && optional !== true) throw new Error(`couldn't find key ${key} in ConfigMap ${pod.metadata.namespace}/${name}`)
    return value
  }
  if (source.secretKeyRef !== undefined) {
    const { name = '', key, optional } = source.secretKeyRef
    const object = await objects.secret(name)
    if (object === undefined && optional !== true) throw notFound({ group: '', resource: 'secret' }, name)
    const value = object?.data?.[key]
    if (value === undefined && object !== undefined && optional !== true) throw new Error(`couldn't find key ${key} in Secret ${pod.metadata.namespace}/${name}`)
    return value === undefined ? undefined : Buffer.from(value, 'base64').toString()
  }
  throw new Error('unsupported source of an environment variable')
}

/** Links to the services of the namespace (if wanted), and always to the API's own. */
export function serviceEnv(pod: Readonly<Pod>, services: readonly Readonly<Service>[]): Map<string, string> {
  const chosen = new Map<string, Readonly<Service>>()
  for (const service of services) {
    const { namespace, name = '' } = service.metadata
    const ip = service.spec?.clusterIP
    if (ip === undefined || ip === '' || ip === 'None') continue
    if (namespace === 'default' && name === 'kubernetes') {
      if (!chosen.has(name)) chosen.set(name, service)
    } else if (namespace === pod.metadata.namespace && pod.spec?.enableServiceLinks !== false) chosen.set(name, service)
  }
  const env = new Map<string, string>()
  for (const service of chosen.values()) addLinks(env, service)
  return env
}

function addLinks(env: Map<string, string>, service: Readonly<Service>): void {
  const upper = (name: string): string => name.toUpperCase().replaceAll('-', '_')
  const prefix = upper(service.metadata.name ?? '')
  const ip = service.spec?.clusterIP ?? ''
  const ports = service.spec?.ports ?? []
  const [first] = ports
  env.set(`${prefix}_SERVICE_HOST`, ip)
  if (first === undefined) return
  env.set(`${prefix}_SERVICE_PORT`, String(first.port))
  for (const port of ports) if (port.name !== undefined && port.name !== '') env.set(`${prefix}_SERVICE_PORT_${upper(port.name)}`, String(port.port))
  for (const port of ports) {
    const protocol = port.protocol ?? 'TCP'
    const url = `${protocol.toLowerCase()}://${bracketed(ip)}:${port.port}`
    if (port === first) env.set(`${prefix}_PORT`, url)
    const name = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`
    env.set(name, url)
    env.set(`${name}_PROTO`, protocol.toLowerCase())
    env.set(`${name}_PORT`, String(port.port))
    env.set(`${name}_ADDR`, ip)
  }
}

/** `$(NAME)` becomes the variable, `$$` a dollar; what is not known stays as it is. */
export function expand(text: string, lookUp: (name: string) => string | undefined): string {
  return text.replaceAll(/\$(?:\$|\(([^)]*)\))/g, (all, name: string | undefined) => (name === undefined ? '$' : (lookUp(name) ?? all)))
}
