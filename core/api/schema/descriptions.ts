/**
 * What fields and kinds are for, in upstream's words, for `kubectl explain` and the published OpenAPI.
 *
 * The words are not in this repository: the build takes them from the package @kubernetes/client-node
 * (generate/descriptions.ts reads its files) and puts them into the executable as an asset. Without the asset
 * everything works, with no descriptions.
 */
import { definition, definitionNames } from './schema.ts'

/** By the definition's short name: what it is, and what its fields are. */
export type Descriptions = Readonly<Record<string, readonly [own: string, fields: Readonly<Record<string, string>>]>>

export const noDescriptions: Descriptions = {}

/** One class of client-node: its declarations, and its code, which has the fields' real names. */
export interface ModelSource {
  readonly declarations: string
  readonly code: string
}

/** `read` gives a class by its name, undefined when there is none. */
export function collectDescriptions(read: (className: string) => ModelSource | undefined): Descriptions {
  const collected: Record<string, readonly [string, Readonly<Record<string, string>>]> = {}
  for (const name of definitionNames()) {
    const source = classNames(definition(name).id).map(read).find((found) => found !== undefined)
    if (source === undefined) continue
    collected[name] = [ownDescription(source.declarations), fieldDescriptions(source)]
  }
  return collected
}

/** Classes are named V1Pod, or with the group in front where that would not be enough: CoreV1Event. */
function classNames(id: string): readonly string[] {
  const [group = '', version = '', name = ''] = id.split('.').slice(-3)
  const plain = `${capital(version)}${name}`
  return [`${capital(group)}${plain}`, plain, name === 'Info' ? 'VersionInfo' : name]
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}

function ownDescription(declarations: string): string {
  const before = declarations.slice(0, declarations.indexOf('export declare class'))
  const comment = [...before.matchAll(/\/\*\*\n([\s\S]*?)\*\//g)].at(-1)?.[1] ?? ''
  return comment.includes('NOTE: This class is auto generated') ? '' : plain(comment)
}

function fieldDescriptions({ declarations, code }: ModelSource): Record<string, string> {
  const realNames = new Map([...code.matchAll(/"name": "([^"]+)",\s+"baseName": "([^"]+)"/g)].map(([, name = '', real = '']) => [name, real]))
  const fields: Record<string, string> = {}
  for (const [, comment = '', name = ''] of declarations.matchAll(/\/\*\*\n((?:(?!\*\/)[\s\S])*?)\*\/\s+'([^']+)'\??:/g)) {
    const text = plain(comment)
    if (text !== '' && !text.startsWith(typeOfField)) fields[realNames.get(name) ?? name] = text
  }
  return fields
}

/** Where client-node has the type's description in the place of the field's. */
const typeOfField = 'IntOrString is a type that can hold'

function plain(comment: string): string {
  return comment.split('\n').map((line) => line.replace(/^\s*\* ?/, '').trimEnd()).join('\n').trim().replaceAll('*_/', '*/').replaceAll(/\\(['"`\\])/g, '$1')
}
