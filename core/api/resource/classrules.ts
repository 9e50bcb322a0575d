/** Rules of DeviceClasses (pkg/apis/resource/validation/validation.go, pkg/registry/resource/deviceclass/strategy.go). */
import { equalJson } from '../../lib/json.ts'
import type { Errors } from '../checks.ts'
import { isExtendedResource } from '../core/podspec/resources.ts'
import { invalidValue, path } from '../field.ts'
import type { Strategy } from '../kind.ts'
import type { DeviceClass } from '../schema/types.ts'
import { configMax, configuration, selectors } from './configrules.ts'
import { each } from './names.ts'

function validate({ spec }: Readonly<DeviceClass>, prev?: Readonly<DeviceClass>): Errors {
  const errors: Errors = []
  const at = path('spec')
  selectors(errors, spec.selectors, at.child('selectors'))
  const stored = prev !== undefined && equalJson(spec.config ?? [], prev.spec.config ?? [])
  each(errors, spec.config, configMax, at.child('config'), (config, here) => configuration(errors, config, here, stored))
  const name = spec.extendedResourceName
  if (name !== undefined && !isExtendedResource(name)) errors.push(invalidValue(at.child('extendedResourceName'), name, 'must be a valid extended resource name'))
  return errors
}

export const classStrategy: Strategy<DeviceClass> = {
  validateCreate: (next) => validate(next),
  validateUpdate: (next, prev) => validate(next, prev),
}
