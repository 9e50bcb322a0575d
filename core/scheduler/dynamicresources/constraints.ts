/**
 * What the devices of a claim must have in common, or must not (constraint.go, allocator_incubating.go beside pools). Devices are
 * added and taken away again while the search goes on: each remove() undoes the last add() that said yes.
 */
import type { Device, DeviceAttribute, DeviceConstraint } from '../../api/schema/types.ts'

/** Whom a device would be for. */
export interface Candidate {
  /** Name of the request; of the one above it where it is an alternative. */
  readonly request: string
  /** Name of the alternative. */
  readonly alternative?: string
  readonly driver: string
  readonly device: Readonly<Device>
}

export interface Constraint {
  /** False: the device does not go with the others, and was not added. */
  add(candidate: Candidate): boolean
  remove(candidate: Candidate): void
}

/** Undefined: it says nothing that is known. */
export function constraintOf({ matchAttribute, distinctAttribute, requests = [] }: Readonly<DeviceConstraint>): Constraint | undefined {
  const concerns = ({ request, alternative }: Candidate): boolean =>
    requests.length === 0 || requests.includes(request) || (alternative !== undefined && requests.includes(`${request}/${alternative}`))
  if (matchAttribute !== undefined) return only(concerns, new Match(matchAttribute))
  return distinctAttribute === undefined ? undefined : only(concerns, new Distinct(distinctAttribute))
}

function only(concerns: (candidate: Candidate) => boolean, constraint: Constraint): Constraint {
  return {
    add: (candidate) => !concerns(candidate) || constraint.add(candidate),
    remove(candidate) {
      if (concerns(candidate)) constraint.remove(candidate)
    },
  }
}

/** All have the attribute, and the same in it. */
class Match implements Constraint {
  readonly #name: string
  #value: string | undefined
  #count = 0

  constructor(name: string) {
    this.#name = name
  }

  add(candidate: Candidate): boolean {
    const value = valueOf(candidate, this.#name)
    if (value === undefined) return false
    if (this.#count === 0) this.#value = value
    else if (value === '' || value !== this.#value) return false
    this.#count++
    return true
  }

  remove(): void {
    this.#count--
  }
}

/** All have the attribute, and no two requests the same in it. Of the devices of one request only the last is remembered, as upstream. */
class Distinct implements Constraint {
  readonly #name: string
  readonly #values = new Map<string, string>()
  #count = 0

  constructor(name: string) {
    this.#name = name
  }

  add(candidate: Candidate): boolean {
    const value = valueOf(candidate, this.#name)
    if (value === undefined) return false
    if (this.#count > 0 && [...this.#values.values()].some((other) => value === '' || other === value)) return false
    this.#values.set(candidate.request, value)
    this.#count++
    return true
  }

  remove({ request }: Candidate): void {
    this.#values.delete(request)
    this.#count--
  }
}

/** A text that is the same for the same value of the same sort; '' for a sort that is not known. Undefined: it does not have the attribute. */
function valueOf({ driver, device: { attributes = {} } }: Candidate, name: string): string | undefined {
  const [domain, id] = [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)]
  const attribute = attributes[name] ?? (domain === driver ? attributes[id] : undefined)
  return attribute === undefined ? undefined : textOf(attribute)
}

function textOf({ string, int, bool, version }: Readonly<DeviceAttribute>): string {
  if (string !== undefined) return `string ${string}`
  if (int !== undefined) return `int ${int}`
  if (bool !== undefined) return `bool ${bool}`
  return version === undefined ? '' : `version ${version}`
}
