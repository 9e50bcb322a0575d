/** A webhook's patch put into the request's object: decoded, compared, defaulted, and back in the version that was asked. */
import { parseJson } from '../../api/codec/json.ts'
import { internal } from '../../api/errors.ts'
import type { AnyObject } from '../../api/meta.ts'
import { jsonKind } from '../../api/patch/merge.ts'
import { parseJsonPatch, patched as patchedDocument } from '../../api/patch/json.ts'
import { equalJson } from '../../lib/json.ts'
import type { Ctx } from '../../lib/ctx.ts'
import type { Match } from '../match.ts'
import type { AdmissionRequest } from '../plugin.ts'
import type { Outcome } from './call.ts'
import type { Hook } from './hooks.ts'
import { asShown, type ReviewAnswer } from './review.ts'
import { convertObject, decodePatched, defaultObject, replaceWith } from './versions.ts'

export type Patched =
  | { readonly type: 'none' }
  | { readonly type: 'patched'; readonly changed: boolean; readonly patch: unknown }
  | Extract<Outcome, { readonly type: 'failed' | 'refused' }>

export interface PatchInit {
  readonly match: Match
  /** In the version of `match`. */
  readonly object: Readonly<AnyObject> | undefined
  readonly answer: ReviewAnswer
}

/** What a webhook's patch makes of the object. A patch that cannot be used is `failed`: the webhook's failure policy decides. */
export async function applyHookPatch(ctx: Ctx, hook: Hook, request: AdmissionRequest, { match, object, answer }: PatchInit): Promise<Patched> {
  if (answer.patch === undefined) return { type: 'none' }
  const failed = (why: string, code: number): Patched => ({ type: 'failed', why: `failed calling webhook "${hook.name}": ${why}`, code })
  let patch: unknown
  let operations: ReturnType<typeof parseJsonPatch>
  try {
    const parsed = parseJson(new TextDecoder().decode(Buffer.from(answer.patch, 'base64')))
    if (!parsed.ok) throw new Error(parsed.error)
    patch = parsed.value
    if (patch !== null && !Array.isArray(patch)) throw new Error(`json: cannot unmarshal ${jsonKind(patch)} into Go value of type jsonpatch.Patch`)
    operations = parseJsonPatch(patch)
  } catch (error) {
    return failed(`received undecodable patch in webhook response: ${(error as Error).message}`, 503)
  }
  if (operations.length === 0) return { type: 'none' }
  if (object === undefined || request.object === undefined) {
    return { type: 'refused', error: internal(`admission webhook "${hook.name}" attempted to modify the object, which is not supported for this operation`) }
  }
  if (answer.patchType !== 'JSONPatch') return failed(`unsupported patch type "${answer.patchType ?? ''}"`, 400)
  try {
    const made = decodePatched(patchedDocument(asShown(object, match), operations), match.as, match.kind)
    const changed = !equalJson(object, made)
    defaultObject(made, match.as, match.kind, ctx.clock.now())
    replaceWith(request.object, request.objectKind === undefined ? await convertObject(made, match.as, request.kind, ctx.signal) : made)
    return { type: 'patched', changed, patch }
  } catch (error) {
    return { type: 'refused', error: internal((error as Error).message) }
  }
}
