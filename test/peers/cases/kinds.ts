/** Good requests for every kind: what is defaulted, how it is patched, what its table shows. */
import { namespaceCases, type Case, type CaseGroup } from '../case.ts'
import { samples, type Sample } from './objects.ts'

const namespace = 'kinds'
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'

function casesOf(sample: Sample): readonly Case[] {
  const path = sample.path.replace('{ns}', namespace)
  const object = JSON.stringify(sample.object).replaceAll('{ns}', namespace)
  const { name } = sample.object.metadata
  const title = `${path.split('/').at(-1)} ${name}${path.includes('autoscaling/v1') || path.includes('events.k8s.io') ? ' (other version)' : ''}`
  const selected = encodeURIComponent(`metadata.name=${name}`)
  return [
    { name: `${title}: create`, method: 'POST', path, body: object },
    { name: `${title}: patch`, method: 'PATCH', path: `${path}/${name}`, type: 'application/merge-patch+json', body: { metadata: { annotations: { 'example.com/a': 'b' } } } },
    { name: `${title}: table`, path: `${path}?fieldSelector=${selected}&includeObject=None`, headers: { accept: table } },
    { name: `${title}: dry run of a delete`, method: 'DELETE', path: `${path}/${name}?dryRun=All` },
  ]
}

export const kinds: CaseGroup = { name: 'kinds', golden: true, cases: [...namespaceCases(namespace), ...samples.flatMap(casesOf)] }
