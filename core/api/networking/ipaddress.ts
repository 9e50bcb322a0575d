/** The kind IPAddress of networking.k8s.io/v1: its names and its rules. */
import { nameColumn, text } from '../columns.ts'
import { defineKind, type Kind } from '../kind.ts'
import { addressName, ipAddressStrategy } from './addressrules.ts'
import type { IPAddress } from '../schema/types.ts'

export const iPAddresses: Kind<IPAddress> = defineKind<IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  singular: 'ipaddress',
  namespaced: false,
  shortNames: ['ip'],
  strategy: ipAddressStrategy,
  validateName: addressName,
  columns: [
    nameColumn,
    text('ParentRef', (o) => parentOf(o)),
  ],
})

function parentOf(address: Readonly<IPAddress>): string {
  const parent = address.spec?.parentRef
  if (parent === undefined) return '<none>'
  const resource = parent.group === undefined || parent.group === '' ? parent.resource : `${parent.resource}.${parent.group}`
  return [resource.toLowerCase(), ...(parent.namespace ? [parent.namespace] : []), parent.name].join('/')
}
