import { describe, expect, it } from 'vitest'
import { whyNotice, whyPath, type WhyAnswer } from './why.ts'

const about = { kind: 'Pod', namespace: 'default', name: 'web' }
const answer: WhyAnswer = {
  healthy: false,
  cause: 'pod default/web crashes',
  findings: [{ because: 'crashes', about, sections: [{ title: 'restarts', lines: ['3'] }] }, { because: 'is late', about: { ...about, name: 'old' }, sections: [{ title: 'nodes', lines: ['n1'] }] }],
  unread: ['nodes'],
}

describe('why', () => {
  it('is asked where the server knows something to say', () => {
    expect(whyPath({ group: 'apps', resource: 'deployments' }, about)).toBe('/kubun/v1/why?kind=deployments.apps&namespace=default&name=web')
    expect(whyPath({ group: '', resource: 'nodes' }, { namespace: '', name: 'n 1' })).toBe('/kubun/v1/why?kind=nodes&name=n+1')
    expect(whyPath({ group: '', resource: 'configmaps' }, about)).toBeUndefined()
  })

  it('shows the cause, its details, what else there is, and what could not be read', () => {
    expect(whyNotice(answer)).toEqual({
      cause: 'Pod default/web crashes',
      sections: [{ title: 'Restarts', lines: ['3'] }, { title: 'Also: Pod old is late', lines: ['nodes:', 'n1'] }, { title: 'You may not read', lines: ['nodes'] }],
    })
  })

  it('shows nothing of what is well', () => {
    expect(whyNotice({ ...answer, healthy: true, findings: [] })).toBeUndefined()
  })
})
