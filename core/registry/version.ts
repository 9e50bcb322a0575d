/** resourceVersion and resourceVersionMatch of reads: what they mean, when to wait, what to refuse (apimachinery's internalversion validation, apiserver's storage). */
import { ApiError, badRequest, expired, invalid, timeout } from '../api/errors.ts'
import { type FieldError, forbiddenField, invalidValue, notSupported, path } from '../api/field.ts'
import type { Ctx } from '../lib/ctx.ts'
import type { Base } from './base.ts'
import type { ListQuery, WatchQuery } from './registry.ts'

/** How long a read waits for a revision that is yet to come. */
const futureWaitMs = 3_000

const listOptions = { group: 'meta.k8s.io', kind: 'ListOptions' }

export function checkListOptions(query: ListQuery): void {
  const errors: FieldError[] = []
  const match = query.resourceVersionMatch ?? ''
  const at = path('resourceVersionMatch')
  if (match !== '') {
    const version = query.resourceVersion ?? ''
    if (version === '') errors.push(forbiddenField(at, 'resourceVersionMatch is forbidden unless resourceVersion is provided'))
    if ((query.continue ?? '') !== '') errors.push(forbiddenField(at, 'resourceVersionMatch is forbidden when continue is provided'))
    if (match !== 'Exact' && match !== 'NotOlderThan') errors.push(notSupported(at, match, ['Exact', 'NotOlderThan', '']))
    if (match === 'Exact' && version === '0') errors.push(forbiddenField(at, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
  }
  if (errors.length > 0) throw invalid(listOptions, '', errors)
}

export function checkWatchOptions(query: WatchQuery): void {
  const errors: FieldError[] = []
  const match = query.resourceVersionMatch ?? ''
  const at = path('resourceVersionMatch')
  if (query.sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    errors.push(forbiddenField(at, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'))
  }
  if (match !== '') {
    if (query.sendInitialEvents === undefined) errors.push(forbiddenField(at, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'))
    if (match !== 'NotOlderThan') errors.push(notSupported(at, match, ['NotOlderThan']))
    if ((query.continue ?? '') !== '') errors.push(forbiddenField(at, 'resourceVersionMatch is forbidden when continue is provided'))
  }
  if (errors.length > 0) throw invalid(listOptions, '', errors)
}

/** '' and undefined are undefined; anything else a whole number. */
export function parseVersion(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  if (/^\d{1,19}$/.test(text)) return Number(text)
  throw badRequest(invalidValue(path('resourceVersion'), text, `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`).message())
}

/** Waits until reads are as fresh as asked; throws upstream's 504 when that is too far ahead. */
export async function waitFor(base: Base, ctx: Ctx, version: number): Promise<void> {
  if (await base.cache.reached(ctx, version, futureWaitMs)) return
  ctx.signal.throwIfAborted()
  throw tooLarge(version, base.cache.revision())
}

function tooLarge(version: number, current: number): ApiError {
  const error = timeout(`Too large resource version: ${version}, current: ${current}`, 1)
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }]
  return ApiError.from({ ...error.status(), details: { ...error.details, causes } })
}

export const tooOldList = 'The resourceVersion for the provided list is too old.'

export function tooOldWatch(version: number, oldest: number): ApiError {
  return expired(`too old resource version: ${version} (${oldest})`)
}
