/**
 * Which names of a group are whose: plurals, singulars and short names are one space, kinds and list kinds another. A
 * name is taken when a definition has it in its accepted names, or is about to. Whoever asked for one that was taken is
 * told when it gets free.
 */
import type { CustomResourceDefinition, CustomResourceDefinitionNames } from '../../api/schema/types.ts'

type Names = Readonly<Partial<CustomResourceDefinitionNames>>

/** What of a definition's names is in use. */
export interface Claim {
  readonly group: string
  readonly names: Names
}

export type Space = 'resource' | 'kind'

interface Claims {
  /** What listers show. */
  seen: readonly string[]
  /** What is being written. */
  coming: readonly string[]
}

export class NameRegister {
  /** Of `group space name`: how many claims there are. */
  readonly #counts = new Map<string, number>()
  readonly #byOwner = new Map<string, Claims>()
  readonly #waiting = new Map<string, Set<string>>()
  readonly #wake: (owner: string) => void

  constructor(wake: (owner: string) => void) {
    this.#wake = wake
  }

  /** What a definition has now; undefined: it is gone. */
  saw(owner: string, crd: Readonly<CustomResourceDefinition> | undefined): void {
    this.#set(owner, 'seen', crd === undefined ? [] : keysOf({ group: crd.spec.group, names: crd.status?.acceptedNames ?? {} }))
  }

  /** What it will have, if the write succeeds; undefined: nothing is being written. */
  expect(owner: string, claim: Claim | undefined): void {
    this.#set(owner, 'coming', claim === undefined ? [] : keysOf(claim))
  }

  isTaken(group: string, space: Space, name: string): boolean {
    return this.#counts.has(keyOf(group, space, name))
  }

  /** `owner` wants the name as soon as it is free. */
  wait(owner: string, group: string, space: Space, name: string): void {
    const key = keyOf(group, space, name)
    this.#waiting.set(key, (this.#waiting.get(key) ?? new Set()).add(owner))
  }

  #set(owner: string, part: keyof Claims, next: readonly string[]): void {
    const claims = this.#byOwner.get(owner) ?? { seen: [], coming: [] }
    const prev = claims[part]
    claims[part] = next
    if (claims.seen.length === 0 && claims.coming.length === 0) this.#byOwner.delete(owner)
    else this.#byOwner.set(owner, claims)
    // what is kept is never free in between
    for (const key of next) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
    for (const key of prev) this.#release(key)
  }

  #release(key: string): void {
    const count = (this.#counts.get(key) ?? 0) - 1
    if (count > 0) {
      this.#counts.set(key, count)
      return
    }
    this.#counts.delete(key)
    const owners = this.#waiting.get(key) ?? []
    this.#waiting.delete(key)
    for (const owner of owners) this.#wake(owner)
  }
}

const keyOf = (group: string, space: Space, name: string): string => `${group} ${space} ${name}`

function keysOf({ group, names }: Claim): readonly string[] {
  const of = (space: Space, ...all: readonly (string | undefined)[]): string[] =>
    all.filter((name) => name !== undefined && name !== '').map((name) => keyOf(group, space, name as string))
  return [...of('resource', names.plural, names.singular, ...(names.shortNames ?? [])), ...of('kind', names.kind, names.listKind)]
}
