import { describe, expect, it } from 'vitest'
import { linkThrough, pageThrough } from './html.ts'

const root = '/api/v1/namespaces/a/pods/p/proxy'
const place = { root, hosts: ['10.42.0.9:80', 'localhost:8001'] }

describe('linkThrough', () => {
  it.each([
    ['/x', `${root}/x`],
    ['/', `${root}/`],
    [`${root}/x`, `${root}/x`],
    ['x/y', 'x/y'],
    ['#top', '#top'],
    ['http://10.42.0.9:80/x?y=1#z', `${root}/x?y=1#z`],
    ['//localhost:8001/x', `${root}/x`],
    ['https://example.com/x', 'https://example.com/x'],
    ['mailto:a@example.com', 'mailto:a@example.com'],
  ])('%s becomes %s', (link, want) => expect(linkThrough(link, place)).toBe(want))
})

describe('pageThrough', () => {
  it('changes the attributes that hold URLs and leaves the rest of the page as it is', () => {
    expect(pageThrough('<pre>\n<a class=b href="/x">/x</a> <img src="/i.png"> <p title="/t">', place)).toBe(
      `<pre>\n<a class=b href="${root}/x">/x</a> <img src="${root}/i.png"> <p title="/t">`,
    )
  })
})
