/** Kinds and subresources that are only computed, by `group/plural` and `group/plural/subresource`. One line each. */
import type { Handler } from '../route.ts'

export const virtualCreates: Readonly<Record<string, Handler>> = {}

export const virtualSubresources: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {}
