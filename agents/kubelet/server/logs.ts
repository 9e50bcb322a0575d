/** Container logs: which container is meant (pkg/kubelet validateContainerLogStatus), and its lines as asked for. */
import type { Ctx } from '../../../core/lib/ctx.ts'
import type { ContainerStatus, Pod, PodStatus } from '../../../core/api/schema/types.ts'
import type { LogOptions, Runtime } from '../../host/runtime.ts'

export interface LogQuery {
  readonly options: LogOptions
  readonly previous: boolean
  /** undefined: no limit. */
  readonly limitBytes: number | undefined
}

/** Throws RangeError with upstream's words for what cannot be. */
export function parseLogQuery(query: URLSearchParams, nowMs: number): LogQuery {
  const number = (name: string): number | undefined => {
    const text = query.get(name)
    if (text === null || text === '') return undefined
    const value = Number(text)
    if (!Number.isInteger(value) || value < 0) throw new RangeError(`invalid value for ${name}: ${text}`)
    return value
  }
  const on = (name: string): boolean => query.get(name) === 'true' || query.get(name) === '1'
  const [tailLines, sinceSeconds, limitBytes] = [number('tailLines'), number('sinceSeconds'), number('limitBytes')]
  const sinceTime = query.get('sinceTime')
  const sinceMs = sinceSeconds !== undefined ? nowMs - sinceSeconds * 1000 : sinceTime === null || sinceTime === '' ? undefined : Date.parse(sinceTime)
  const stream = query.get('stream') ?? 'All'
  return {
    options: {
      follow: on('follow'),
      timestamps: on('timestamps'),
      ...(tailLines === undefined ? {} : { tailLines }),
      ...(sinceMs === undefined || Number.isNaN(sinceMs) ? {} : { sinceMs }),
      stdout: stream !== 'Stderr',
      stderr: stream !== 'Stdout',
    },
    previous: on('previous'),
    limitBytes,
  }
}

/** The id of the container whose log is meant; throws with the sentence that kubectl prints. */
export function logContainer(pod: Readonly<Pod>, status: Readonly<PodStatus>, name: string, previous: boolean): string {
  const about = `container "${name}" in pod "${pod.metadata.name}"`
  const found = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? []), ...(status.ephemeralContainerStatuses ?? [])].find((s) => s.name === name)
  if (found === undefined) throw new Error(`${about} is not available`)
  const last = found.lastState?.terminated
  if (previous) {
    if (last?.containerID === undefined) throw new Error(`previous terminated ${about} not found`)
    return bare(last.containerID)
  }
  if (found.state?.running !== undefined) return bare(found.containerID ?? '')
  if (found.state?.terminated !== undefined) {
    const id = found.state.terminated.containerID ?? last?.containerID
    if (id === undefined) throw new Error(`${about} is terminated`)
    return bare(id)
  }
  if (last !== undefined) {
    if (last.containerID === undefined) throw new Error(`${about} is terminated`)
    return bare(last.containerID)
  }
  throw new Error(`${about} is waiting to start: ${waitingWords(found)}`)
}

function waitingWords({ state }: ContainerStatus): string {
  const reason = state?.waiting?.reason
  if (reason === 'ErrImagePull') return "image can't be pulled"
  return reason === 'ImagePullBackOff' ? 'trying and failing to pull image' : (reason ?? 'no logs yet')
}

const bare = (id: string): string => id.replace(/^docker:\/\//, '')

/** The log, cut off after the limit. */
export async function* readLog(ctx: Ctx, runtime: Runtime, id: string, { options, limitBytes }: LogQuery): AsyncGenerator<Uint8Array> {
  let left = limitBytes ?? Infinity
  for await (const { data } of runtime.logs(ctx, id, options)) {
    if (left <= 0) return
    yield data.length > left ? data.subarray(0, left) : data
    left -= data.length
  }
}
