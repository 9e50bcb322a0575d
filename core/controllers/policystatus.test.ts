import { expect, it } from 'vitest'
import { validatingAdmissionPolicies } from '../api/admissionregistration/validatingadmissionpolicy.ts'
import { testCluster } from '../../test/support/controllers.ts'
import { policyStatus } from './policystatus.ts'

const rules = { matchConstraints: { resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] }] } }

it('says once for each generation what is wrong with the types in a policy', async () => {
  const cluster = await testCluster([policyStatus])
  const create = (name: string, expression: string) => cluster.create(validatingAdmissionPolicies, { metadata: { name }, spec: { ...rules, validations: [{ expression }] } })
  await create('good', 'object.spec.replicas > 1')
  await create('bad', "object.spec.replicas > '1'")
  await cluster.settle()
  expect((await cluster.get(validatingAdmissionPolicies, 'good'))?.status).toEqual({ observedGeneration: 1, typeChecking: {} })
  const bad = (await cluster.get(validatingAdmissionPolicies, 'bad'))?.status
  expect(bad?.observedGeneration).toBe(1)
  expect(bad?.typeChecking?.expressionWarnings?.map(({ fieldRef }) => fieldRef)).toEqual(['spec.validations[0].expression'])
  await cluster.change(validatingAdmissionPolicies, 'bad', (mine) => {
    mine.spec = { ...mine.spec, validations: [{ expression: 'object.spec.replicas > 1' }] }
  })
  await cluster.settle()
  const mended = (await cluster.get(validatingAdmissionPolicies, 'bad'))?.status
  expect(mended?.observedGeneration).toBe(2)
  expect(mended?.typeChecking?.expressionWarnings).toBeUndefined()
  await cluster.stop()
})
