/** Files of one volume that would be written over each other: only warned of (k8s.io/kubernetes/pkg/api/pod/warnings.go). */
import type * as k from '../../schema/types.ts'

interface Source {
  readonly path: string
  /** '' where the volume has one source only. */
  readonly name: string
}

export function overlapWarnings(volumes: readonly Readonly<k.Volume>[]): string[] {
  const warnings: string[] = []
  for (const volume of volumes) {
    const plain: readonly (readonly [string, readonly { readonly path: string }[] | undefined])[] = [
      [`ConfigMap ${JSON.stringify(volume.configMap?.name ?? '')}`, volume.configMap?.items],
      [`Secret ${JSON.stringify(volume.secret?.secretName ?? '')}`, volume.secret?.items],
      ['DownwardAPI', volume.downwardAPI?.items],
    ]
    for (const [what, items] of plain) {
      for (const overlap of overlaps((items ?? []).map(({ path }) => ({ path, name: '' })))) warnings.push(sentence(volume.name, what, overlap))
    }
    const sources = volume.projected?.sources ?? []
    for (const source of sources) if (Object.keys(source).length === 0) warnings.push(`volume ${JSON.stringify(volume.name)} (Projected) has no sources provided`)
    for (const overlap of overlaps(sources.flatMap(pathsOf))) warnings.push(sentence(volume.name, 'Projected', overlap))
  }
  return warnings
}

const sentence = (volume: string, what: string, overlap: string): string => `volume ${JSON.stringify(volume)} (${what}): overlapping paths: ${overlap}`

function overlaps(sources: readonly Source[]): string[] {
  const trimmed = sources.map((source) => ({ ...source, path: source.path.replace(/\/+$/, '') }))
  return trimmed.flatMap((source, i) =>
    trimmed.slice(0, i).filter((other) => meet(source.path, other.path)).map((other) => `${show(source)} with ${show(other)}`),
  )
}

function meet(a: string, b: string): boolean {
  return a !== '' && b !== '' && (`${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`))
}

const show = ({ path, name }: Source): string => (name === '' ? JSON.stringify(path) : `${JSON.stringify(path)} (${name})`)

function pathsOf(source: Readonly<k.VolumeProjection>): Source[] {
  const items = (list: readonly { readonly path: string }[] | undefined, name: string): Source[] => (list ?? []).map(({ path }) => ({ path, name }))
  if (source.configMap?.items !== undefined) return items(source.configMap.items, `ConfigMap ${JSON.stringify(source.configMap.name ?? '')}`)
  if (source.secret?.items !== undefined) return items(source.secret.items, `Secret ${JSON.stringify(source.secret.name ?? '')}`)
  if (source.downwardAPI?.items !== undefined) return items(source.downwardAPI.items, 'DownwardAPI')
  if (source.serviceAccountToken !== undefined) return [{ path: source.serviceAccountToken.path, name: 'ServiceAccountToken' }]
  const bundle = source.clusterTrustBundle
  if (bundle !== undefined) return [{ path: bundle.path, name: `ClusterTrustBundle ${JSON.stringify(bundle.name ?? bundle.signerName ?? '')}` }]
  const certificate = source.podCertificate
  return [
    { path: certificate?.certificateChainPath ?? '', name: 'PodCertificate chain' },
    { path: certificate?.keyPath ?? '', name: 'PodCertificate key' },
    { path: certificate?.credentialBundlePath ?? '', name: 'PodCertificate credential bundle' },
  ]
}
