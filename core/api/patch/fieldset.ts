/**
 * Sets of fields, in the very form that metadata.managedFields stores (FieldsV1): a tree of elements, where `{}` is a
 * member, `.` marks a member that has members below it, and siblings are in upstream's order. So nothing is parsed or
 * written: sets are values, never changed once made, and share their branches. Semantics: fieldpath/set.go.
 */
import { canonicalElement, compareElements, type Element } from './element.ts'
import { isEmptyMap, isMap } from './value.ts'

export interface FieldSet {
  readonly [element: Element]: FieldSet
}

/** A set in the making: elements must go in in order, `.` first. */
export type Draft = Record<Element, FieldSet>

/** One member without members below it; as a whole set: the empty one. */
export const leaf: FieldSet = Object.freeze({})
export const emptySet: FieldSet = leaf

export function isEmptySet(set: FieldSet): boolean {
  return isEmptyMap(set)
}

/** Whether the field at the root of this branch is itself in the set. */
export function isMember(branch: FieldSet): boolean {
  return branch['.'] !== undefined || isEmptyMap(branch)
}

/** Whether the branch has members below its root. */
export function hasBelow(branch: FieldSet): boolean {
  for (const element in branch) if (element !== '.') return true
  return false
}

/** A branch of a draft; undefined when there is nothing in it. */
function branchOf(member: boolean, below: Draft): FieldSet | undefined {
  if (isEmptyMap(below)) return member ? leaf : undefined
  return member ? { '.': leaf, ...below } : below
}

/** Puts a draft's elements in order where they are not. */
export function inOrder(draft: Draft): FieldSet {
  let last = ''
  for (const element in draft) {
    if (element === '.') continue
    if (last !== '' && compareElements(last, element) > 0) return sorted(draft)
    last = element
  }
  return draft
}

function sorted(draft: Draft): FieldSet {
  const ordered: Draft = {}
  if (draft['.'] !== undefined) ordered['.'] = leaf
  for (const element of Object.keys(draft).filter((e) => e !== '.').sort(compareElements)) ordered[element] = draft[element] ?? leaf
  return ordered
}

/** A set of whole paths, given from the root. */
export function setOf(...paths: readonly (readonly Element[])[]): FieldSet {
  return paths.reduce<FieldSet>((set, path) => union(set, path.reduceRight<FieldSet>((below, element) => ({ [element]: below }), leaf)), emptySet)
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmptyMap(b)) return a
  if (isEmptyMap(a)) return b
  const draft: Draft = { ...a }
  for (const element in b) {
    if (element === '.') continue
    const mine = draft[element]
    const theirs = b[element] ?? leaf
    draft[element] = mine === undefined ? theirs : unionBranches(mine, theirs)
  }
  return inOrder(draft)
}

function unionBranches(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a
  const member = isMember(a) || isMember(b)
  const merged = union(a, b)
  return member && merged['.'] === undefined && !isEmptyMap(merged) ? { '.': leaf, ...merged } : merged
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const draft: Draft = {}
  for (const element in a) {
    const theirs = b[element]
    const mine = a[element]
    if (element === '.' || theirs === undefined || mine === undefined) continue
    const branch = branchOf(isMember(mine) && isMember(theirs), intersection(mine, theirs) as Draft)
    if (branch !== undefined) draft[element] = branch
  }
  return draft
}

/** What is in `a` and not in `b`, field by field; `a` itself when that is everything. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, false)
}

/** The same, but a field of `b` takes with it everything below it. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  return subtract(a, b, true)
}

function subtract(a: FieldSet, b: FieldSet, deep: boolean): FieldSet {
  if (isEmptyMap(b)) return a
  const draft: Draft = {}
  let same = true
  for (const element in a) {
    if (element === '.') continue
    const mine = a[element] ?? leaf
    const theirs = b[element]
    const left = theirs === undefined ? mine : subtractBranch(mine, theirs, deep)
    if (left !== mine) same = false
    if (left !== undefined) draft[element] = left
  }
  return same ? a : draft
}

function subtractBranch(mine: FieldSet, theirs: FieldSet, deep: boolean): FieldSet | undefined {
  const memberOfB = isMember(theirs)
  if (memberOfB && deep) return undefined
  const member = isMember(mine)
  const below = subtract(mine, theirs, deep)
  if (below === mine && !(member && memberOfB)) return mine
  const rest: Draft = { ...below }
  delete rest['.']
  return branchOf(member && !memberOfB, rest)
}

export function has(set: FieldSet, path: readonly Element[]): boolean {
  let branch: FieldSet | undefined = set
  for (const element of path) branch = branch?.[element]
  return path.length > 0 && branch !== undefined && isMember(branch)
}

/** Every path of the set: at each level the members first, then what is below them (upstream's Iterate). */
export function pathsOf(set: FieldSet, prefix: readonly Element[] = []): readonly (readonly Element[])[] {
  const elements = Object.keys(set).filter((element) => element !== '.')
  const members = elements.filter((element) => isMember(set[element] ?? leaf)).map((element) => [...prefix, element])
  return [...members, ...elements.flatMap((element) => pathsOf(set[element] ?? leaf, [...prefix, element]))]
}

/** Checks what came from outside and gives it canonical form: itself when it has it. Throws for what is no set. */
export function readFieldSet(raw: unknown): FieldSet {
  if (raw === undefined || raw === null) return emptySet
  if (isCanonical(raw, true)) return raw as FieldSet
  return (readBranch(raw).below ?? emptySet) as FieldSet
}

function isCanonical(raw: unknown, root: boolean): boolean {
  if (!isMap(raw)) return false
  let last: Element = ''
  for (const element in raw) {
    if (element === '.') {
      if (root || last !== '' || !isEmptyBranch(raw['.'])) return false
      last = '.'
      continue
    }
    if (canonicalElement(element) !== element || !isCanonical(raw[element], false)) return false
    if (last !== '' && last !== '.' && compareElements(last, element) >= 0) return false
    last = element
  }
  return last !== '.'
}

const isEmptyBranch = (raw: unknown): boolean => isMap(raw) && isEmptyMap(raw)

function readBranch(raw: unknown): { readonly below: Draft | undefined; readonly member: boolean } {
  if (!isMap(raw)) throw new Error('expected an object')
  let member = false
  let set: FieldSet | undefined
  for (const [text, child] of Object.entries(raw)) {
    if (text === '.') {
      member = true
      continue
    }
    const element = canonicalElement(text)
    if (element === undefined) continue
    const { below, member: childMember } = readBranch(child)
    const branch = branchOf(childMember, below ?? {})
    if (branch !== undefined) set = union(set ?? emptySet, { [element]: branch })
  }
  return { below: set as Draft | undefined, member: member || set === undefined }
}
