/** The kind Secret of core/v1: its names and its rules. */
import { ageColumn, nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { secretStrategy } from './datarules.ts'
import type { Secret } from '../schema/types.ts'

export const secrets: Kind<Secret> = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  singular: 'secret',
  namespaced: true,
  strategy: {
    ...secretStrategy,
    unfold: foldStringData,
  },
  columns: [
    nameColumn,
    text('Type', (o) => o.type ?? ''),
    text('Data', (o) => Object.keys(o.data ?? {}).length),
    ageColumn,
  ],
  selectableFields: {
    type: (o) => o.type ?? '',
  },
})

/** `stringData` is for writing only: it is laid over `data` and not kept (k8s.io/kubernetes/pkg/apis/core/v1/conversion.go). */
function foldStringData(secret: Secret): void {
  if (secret.stringData === undefined) return
  const given = Object.entries(secret.stringData).map(([key, value]) => [key, Buffer.from(value).toString('base64')])
  if (given.length > 0) secret.data = { ...secret.data, ...Object.fromEntries(given) }
  delete secret.stringData
}
