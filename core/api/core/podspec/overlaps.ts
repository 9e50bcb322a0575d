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

/** No answer has room for more. */
const overlapsMax = 256

interface Place {
  readonly text: string
  /** Ends with a slash. */
  readonly path: string
}

function overlaps(sources: readonly Source[]): string[] {
  const places = sources.map((source): Place => {
    const path = source.path.replace(/(?<!\/)\/+$/, '')
    return { text: show({ ...source, path }), path: path === '' ? '' : `${path}/` }
  })
  const found: string[] = []
  const before: Place[] = []
  for (const place of meeting(places)) {
    for (const other of before) {
      if (!place.path.startsWith(other.path) && !other.path.startsWith(place.path)) continue
      found.push(`${place.text} with ${other.text}`)
      if (found.length >= overlapsMax) return found
    }
    before.push(place)
  }
  return found
}

/** Those that meet any other. In order, whatever lies below a path follows it. */
function meeting(places: readonly Place[]): readonly Place[] {
  const sorted = places.filter(({ path }) => path !== '').toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  const found = new Set<Place>()
  let above: Place | undefined
  for (const place of sorted) {
    if (above !== undefined && place.path.startsWith(above.path)) found.add(above).add(place)
    else above = place
  }
  return places.filter((place) => found.has(place))
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
