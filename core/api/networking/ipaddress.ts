/** The kind IPAddress of networking.k8s.io/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { IPAddress } from '../schema/types.ts'

export const iPAddresses: Kind<IPAddress> = defineKind<IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  singular: 'ipaddress',
  namespaced: false,
  shortNames: ['ip'],
})
