/** kubernetes.Semver: versions in expressions (k8s.io/apiserver/pkg/cel/library/semverlib.go). Reading and order are version.ts. */
import type { Library } from '../library.ts'
import { bool, int, opaque, string } from '../type.ts'
import { CelError, OpaqueValue } from '../value.ts'
import { traversalCost, traversalEstimate } from './cost.ts'
import { declare, member, overload, type Costs } from './declare.ts'
import { compareVersions, readLooseVersion, readVersion, type Version } from './version.ts'

const semverType = opaque('kubernetes.Semver')

export class Semver extends OpaqueValue {
  readonly type = semverType
  readonly version: Version

  constructor(version: Version) {
    super()
    this.version = version
  }

  override equals(other: OpaqueValue): boolean {
    if (!(other instanceof Semver)) throw new CelError('no such overload')
    return compareVersions(this.version, other.version) === 0
  }
}

const parsing: Costs = { cost: traversalCost(), estimate: traversalEstimate() }
const compare = (a: Semver, b: Semver): number => compareVersions(a.version, b.version)
const number = (part: 'major' | 'minor' | 'patch') =>
  declare(part, member(`semver_${part}`, [semverType], int, ({ version }: Semver) => BigInt.asIntN(64, version[part])))

export const semverLibrary: Library = {
  name: 'kubernetes.Semver',
  functions: [
    declare(
      'semver',
      overload('string_to_semver', [string], semverType, (text: string) => semver(text, false), parsing),
      overload('string_bool_to_semver', [string, bool], semverType, semver, parsing),
    ),
    declare(
      'isSemver',
      overload('is_semver_string', [string], bool, (text: string) => isSemver(text, false), parsing),
      overload('is_semver_string_bool', [string, bool], bool, isSemver, parsing),
    ),
    declare('isGreaterThan', member('semver_is_greater_than', [semverType, semverType], bool, (a: Semver, b: Semver) => compare(a, b) > 0)),
    declare('isLessThan', member('semver_is_less_than', [semverType, semverType], bool, (a: Semver, b: Semver) => compare(a, b) < 0)),
    declare('compareTo', member('semver_compare_to', [semverType, semverType], int, (a: Semver, b: Semver) => BigInt(compare(a, b)))),
    number('major'),
    number('minor'),
    number('patch'),
  ],
}

function semver(text: string, normalize: boolean): Semver {
  return new Semver(normalize ? readLooseVersion(text) : readVersion(text))
}

function isSemver(text: string, normalize: boolean): boolean {
  try {
    semver(text, normalize)
    return true
  } catch (error) {
    if (error instanceof CelError) return false
    throw error
  }
}
