/** A custom kind for tests, without a definition: `crontabs.stable.example.com` with whatever fields, in versions v1 and v2. */
import { defineKind, type CustomRules, type Kind, type KindInit } from './kind.ts'
import { apiVersionOf, type AnyObject } from './meta.ts'
import { structuralType } from './patch/mergetype.ts'

export const cronGroup = 'stable.example.com'

export function customKind(version: string, more: Partial<KindInit<AnyObject>> = {}, rules: Partial<CustomRules> = {}): Kind<AnyObject> {
  const names = { group: cronGroup, version, kind: 'CronTab', plural: 'crontabs' }
  return defineKind<AnyObject>({
    ...names,
    namespaced: true,
    generation: 'spec',
    unconditionalUpdate: false,
    applyDefaults: () => {},
    status: {},
    conversion: {
      toStored: (object) => ({ ...object, apiVersion: apiVersionOf({ group: cronGroup, version: rules.storageVersion ?? 'v1' }) }),
      fromStored: (object) => ({ ...object, apiVersion: apiVersionOf(names) }),
    },
    ...more,
    custom: {
      published: { group: cronGroup, version, kind: 'CronTab', listKind: 'CronTabList', resource: 'crontabs' },
      type: structuralType(undefined),
      decode: (value) => ({ ok: true, object: value as AnyObject, warnings: [] }),
      storageVersion: 'v1',
      ...rules,
    },
  })
}
