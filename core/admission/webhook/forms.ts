/** A request's object and old object in each version that somebody asks for, each converted once. */
import type { Kind } from '../../api/kind.ts'
import type { AnyObject } from '../../api/meta.ts'
import type { Match } from '../match.ts'
import type { AdmissionRequest } from '../plugin.ts'
import { convertObject } from './versions.ts'

export interface Form {
  readonly object: Readonly<AnyObject> | undefined
  readonly oldObject: Readonly<AnyObject> | undefined
}

export class Forms {
  readonly #request: AdmissionRequest
  readonly #made = new Map<Kind, Promise<Form>>()

  constructor(request: AdmissionRequest) {
    this.#request = request
  }

  /** Throws what a conversion threw. */
  async of({ as }: Match, signal: AbortSignal): Promise<Form> {
    const { object, oldObject } = this.#request
    if (as === this.#request.kind || this.#request.objectKind !== undefined) return { object, oldObject }
    const known = this.#made.get(as) ?? this.#convert(as, signal)
    this.#made.set(as, known)
    return await known
  }

  /** The object is another now. */
  forget(): void {
    this.#made.clear()
  }

  async #convert(as: Kind, signal: AbortSignal): Promise<Form> {
    const { kind, object, oldObject } = this.#request
    const converted = (one: Readonly<AnyObject> | undefined): Promise<Readonly<AnyObject>> | undefined => (one === undefined ? undefined : convertObject(one, kind, as, signal))
    const [next, prev] = await Promise.all([converted(object), converted(oldObject)])
    return { object: next, oldObject: prev }
  }
}
