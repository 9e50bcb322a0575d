/**
 * Turns a CustomResourceDefinition into kinds, one for each version that is served. They share what is stored: it lies
 * in the storage version, and is read by the schema of the version it lies in before it is shown in another.
 *
 * What is wrong with values is said in structural/, how writes behave in customstrategy.ts. Serving is apiserver's.
 */
import { cloneJson } from '../../lib/json.ts'
import { compareVersions } from '../apiregistration/priorities.ts'
import { defineKind, type Conversion, type CustomRules, type Kind, type RemoteConversion, type ScaleRules } from '../kind.ts'
import { apiVersionOf, parseApiVersion, type AnyObject } from '../meta.ts'
import { structuralType, type ObjectType } from '../patch/mergetype.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../schema/types.ts'
import { customColumns, printed } from './columns.ts'
import { CompiledVersion } from './compiledversion.ts'
import { customStatus, customStrategy } from './customstrategy.ts'
import { jsonPath, type JsonPath } from './jsonpath.ts'
import { decodeCustom, fitSchema } from './structural/decode.ts'
import { fillDefaults } from './structural/defaults.ts'
import { isSettled } from './structural/settled.ts'
import type { JsonMap } from './structural/json.ts'

type Definition = Readonly<CustomResourceDefinition>

export interface CustomMeans {
  /** Asks the definition's conversion webhook; used when its strategy is Webhook. */
  readonly convert?: RemoteConversion
}

/** The kinds of the versions that are served, in the definition's order. */
export function customKinds(crd: Definition, means: CustomMeans = {}): readonly Kind<AnyObject>[] {
  const resource = new Resource(crd, means)
  return crd.spec.versions.filter((version) => version.served).map((version) => resource.kind(version))
}

/** The kind of the storage version, served or not: for whoever has to see all objects. */
export function storageKind(crd: Definition, means: CustomMeans = {}): Kind<AnyObject> | undefined {
  const version = crd.spec.versions.find((each) => each.storage)
  return version === undefined ? undefined : new Resource(crd, means).kind(version)
}

/** What the versions of one definition share. */
class Resource {
  readonly #crd: Definition
  readonly #means: CustomMeans
  readonly #versions: ReadonlyMap<string, CompiledVersion>
  readonly #storageVersion: string

  constructor(crd: Definition, means: CustomMeans) {
    this.#crd = crd
    this.#means = means
    this.#versions = new Map(crd.spec.versions.map((version) => [version.name, new CompiledVersion(version)]))
    this.#storageVersion = crd.spec.versions.find((version) => version.storage)?.name ?? ''
  }

  kind(definition: Readonly<CustomResourceDefinitionVersion>): Kind<AnyObject> {
    const { spec, status } = this.#crd
    const accepted = (status?.acceptedNames?.plural ?? '') === '' ? spec.names : (status?.acceptedNames ?? spec.names)
    const { kind, plural, shortNames = [], categories = [] } = accepted
    const version = this.#versions.get(definition.name) as CompiledVersion
    const deprecation = this.#deprecation(definition)
    const remote = spec.conversion?.strategy === 'Webhook' ? this.#means.convert : undefined
    const { subresources } = definition
    return defineKind<AnyObject>({
      group: spec.group,
      version: definition.name,
      kind,
      plural,
      namespaced: spec.scope === 'Namespaced',
      singular: (accepted.singular ?? '') === '' ? kind.toLowerCase() : (accepted.singular ?? ''),
      listKind: (accepted.listKind ?? '') === '' ? `${kind}List` : (accepted.listKind ?? ''),
      shortNames,
      categories,
      prefix: `${spec.group}/${plural}`,
      generation: 'spec',
      unconditionalUpdate: false,
      columns: customColumns(definition.additionalPrinterColumns),
      selectableFields: selectableFields(definition),
      strategy: customStrategy(version),
      applyDefaults: (object) => fillDefaults(object, version.schema),
      conversion: this.#conversion(definition.name, remote !== undefined),
      custom: this.#rules(version, { kind, plural, listKind: accepted.listKind ?? '' }),
      ...(subresources?.status === undefined ? {} : { status: customStatus(version) }),
      ...(subresources?.scale === undefined ? {} : { scale: scaleRules(subresources.scale) }),
      ...(deprecation === undefined ? {} : { deprecation }),
      ...(remote === undefined ? {} : { remote: this.#remote(remote) }),
    })
  }

  #rules(version: CompiledVersion, names: { readonly kind: string; readonly plural: string; readonly listKind: string }): CustomRules {
    const { group } = this.#crd.spec
    const { name } = version.definition
    const schema = version.definition.schema?.openAPIV3Schema
    const known = new Set([...this.#versions.keys()].map((each) => apiVersionOf({ group, version: each })))
    let type: ObjectType | undefined
    return {
      published: {
        group,
        version: name,
        kind: names.kind,
        resource: names.plural,
        listKind: names.listKind === '' ? `${names.kind}List` : names.listKind,
        schema: schema as CustomRules['published']['schema'],
      },
      get type() {
        return (type ??= structuralType(schema, (apiVersion) => known.has(apiVersion)))
      },
      decode: (value, options) => decodeCustom({ version: name, kind: names.kind }, version.schema, value as JsonMap, options),
      storageVersion: this.#storageVersion,
    }
  }

  /** Between versions only the name of the version changes; a webhook, where there is one, has changed the rest before. */
  #conversion(name: string, remote: boolean): Conversion<AnyObject> {
    const { group } = this.#crd.spec
    const mine = apiVersionOf({ group, version: name })
    const stored = apiVersionOf({ group, version: this.#storageVersion })
    return {
      toStored: (object) => this.#fit({ ...object, apiVersion: remote ? (object.apiVersion ?? stored) : stored }),
      fromStored: (object) => {
        const read = this.#read(object)
        return read.apiVersion === mine ? (read as AnyObject) : this.#fit({ ...read, apiVersion: mine })
      },
    }
  }

  /** What lies in the store, by the schema of today: fields that are no more are gone, and new defaults are there. */
  #read(object: Readonly<AnyObject>): Readonly<AnyObject> {
    const schema = this.#schemaOf(object)
    if (schema === undefined || isSettled(object, schema)) return object
    const read = this.#fit(cloneJson(object) as AnyObject)
    fillDefaults(read, schema)
    return read
  }

  /** What cannot be read stays as it is: there is nobody to tell. */
  #fit(object: AnyObject): AnyObject {
    const schema = this.#schemaOf(object)
    if (schema === undefined || isSettled(object, schema)) return object
    const fit = fitSchema(cloneJson(object), schema)
    return fit.ok ? fit.object : object
  }

  #schemaOf(object: Readonly<AnyObject>): CompiledVersion['schema'] | undefined {
    return this.#versions.get(parseApiVersion(object.apiVersion ?? '').version)?.schema
  }

  #remote(convert: RemoteConversion): RemoteConversion {
    return (objects, apiVersion, signal) => convert(objects.map((object) => this.#read(object)), apiVersion, signal)
  }

  #deprecation({ name, deprecated, deprecationWarning }: Readonly<CustomResourceDefinitionVersion>): string | undefined {
    if (deprecated !== true) return undefined
    if (deprecationWarning !== undefined) return deprecationWarning
    const { group, names, versions } = this.#crd.spec
    const said = (version: string): string => `${group}/${version} ${names.kind}`
    const [better] = versions.filter((each) => each.served && each.deprecated !== true && compareVersions(each.name, name) < 0).map((each) => each.name).sort(compareVersions)
    return `${said(name)} is deprecated${better === undefined ? '' : `; use ${said(better)}`}`
  }
}

const dotted = (path: string): string => (path.startsWith('.') ? path.slice(1) : path)

function scaleRules(scale: NonNullable<NonNullable<CustomResourceDefinitionVersion['subresources']>['scale']>): ScaleRules {
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = scale
  return {
    specReplicas: dotted(specReplicasPath),
    statusReplicas: dotted(statusReplicasPath),
    ...(labelSelectorPath === undefined || labelSelectorPath === '' ? {} : { selector: dotted(labelSelectorPath) }),
  }
}

function selectableFields({ selectableFields: fields = [] }: Readonly<CustomResourceDefinitionVersion>): Kind<AnyObject>['selectableFields'] {
  return Object.fromEntries(fields.map((field) => [dotted(field.jsonPath), selectedBy(field.jsonPath)]))
}

function selectedBy(text: string): (object: Readonly<AnyObject>) => string {
  let path: JsonPath | undefined
  return (object) => {
    path ??= jsonPath(text) ?? (() => undefined)
    const [value] = path(object) ?? []
    return value === undefined || value === null ? '' : printed(value)
  }
}
