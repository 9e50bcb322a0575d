/** The kind Node of core/v1: its names and its rules. */
import { defineKind, type Kind } from '../kind.ts'
import type { Node } from '../schema/types.ts'

export const nodes: Kind<Node> = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  singular: 'node',
  namespaced: false,
  shortNames: ['no'],
  status: {},
  subresources: ['proxy'],
})
