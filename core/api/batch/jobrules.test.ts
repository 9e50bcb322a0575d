import { expect, it } from 'vitest'
import type { Job } from '../schema/types.ts'
import { jobs } from './job.ts'

it('a policy of success without rules is refused, not stumbled over', () => {
  const template = { spec: { containers: [{ name: 'c', image: 'i', terminationMessagePolicy: 'File', imagePullPolicy: 'Always' }], restartPolicy: 'Never', dnsPolicy: 'ClusterFirst' } }
  const job = { metadata: { name: 'j', namespace: 'n' }, spec: { completionMode: 'Indexed', completions: 1, parallelism: 1, successPolicy: {}, template } } as unknown as Job
  expect(jobs.strategy.validateCreate?.(job, { now: 0, user: '' }).map((error) => error.field)).toContain('spec.successPolicy.rules')
})
