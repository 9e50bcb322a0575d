/** The patch from one pod status to the next. */
import { describe, expect, it } from 'vitest'
import { statusPatch } from './statuses.ts'

describe('statusPatch()', () => {
  it('says nothing when nothing differs, and leaves foreign fields alone', () => {
    expect(statusPatch({ phase: 'Running', nominatedNodeName: 'n' }, { phase: 'Running' })).toBeUndefined()
  })
  it('takes away what is gone', () => {
    expect(statusPatch({ phase: 'Running', message: 'x' }, { phase: 'Running' })).toEqual({ message: null })
  })
  it('sends only the conditions that differ', () => {
    const ready = { type: 'Ready', status: 'True' }
    expect(statusPatch({ conditions: [{ type: 'Ready', status: 'False' }, { type: 'PodScheduled', status: 'True' }] }, { conditions: [ready, { type: 'PodScheduled', status: 'True' }] })).toEqual({ conditions: [ready] })
  })
  it('takes away how far a resize was, but no condition that is somebody else\'s', () => {
    const [pending, gate] = [{ type: 'PodResizePending', status: 'True' }, { type: 'example.com/gate', status: 'True' }]
    expect(statusPatch({ conditions: [pending, gate] }, { conditions: [] })).toEqual({ conditions: [{ $patch: 'delete', type: 'PodResizePending' }] })
  })
  it('takes away resources that the pod has no more', () => {
    expect(statusPatch({ resources: { limits: { cpu: '1', memory: '1Gi' } } }, { resources: { limits: { cpu: '2' } } })).toEqual({ resources: { limits: { cpu: '2', memory: null } } })
  })
  it('deletes old addresses by their key', () => {
    expect(statusPatch({ podIPs: [{ ip: '10.42.0.2' }] }, { podIPs: [{ ip: '10.42.0.3' }] })).toEqual({ podIPs: [{ ip: '10.42.0.3' }, { $patch: 'delete', ip: '10.42.0.2' }] })
  })
})
