/**
 * Pages seen through a proxy: links that mean the other side's own root are made to point below the proxy, so that a
 * page works where it is shown (k8s.io/apimachinery/pkg/util/proxy/transport.go). It sees text, never a connection.
 */

/** Attributes that hold a URL, by element (HTML 4 and 5). */
const urlAttributes: Readonly<Record<string, readonly string[]>> = {
  a: ['href'], applet: ['codebase'], area: ['href'], audio: ['src'], base: ['href'], blockquote: ['cite'], body: ['background'],
  button: ['formaction'], command: ['icon'], del: ['cite'], embed: ['src'], form: ['action'], frame: ['longdesc', 'src'], head: ['profile'],
  html: ['manifest'], iframe: ['longdesc', 'src'], img: ['longdesc', 'src', 'usemap'], input: ['src', 'usemap', 'formaction'], ins: ['cite'],
  link: ['href'], object: ['classid', 'codebase', 'data', 'usemap'], q: ['cite'], script: ['src'], source: ['src'], video: ['poster', 'src'],
}

export interface Place {
  /** Path of the proxy, without a slash at its end. */
  readonly root: string
  /** `host:port` of the other side, and what the client called us. */
  readonly hosts: readonly string[]
}

/** A URL as it must be written here; what is relative or leads elsewhere stays. */
export function linkThrough(text: string, { root, hosts }: Place): string {
  const [, host = '', rest = ''] = /^(?:https?:)?\/\/([^/?#]*)(.*)$/is.exec(text) ?? ['', '', text]
  if (host !== '' && !hosts.includes(host)) return text
  if (!rest.startsWith('/')) return text
  return rest.startsWith(root) ? rest : root + rest
}

export function pageThrough(html: string, place: Place): string {
  const rewriter = new HTMLRewriter()
  for (const [element, attributes] of Object.entries(urlAttributes)) {
    rewriter.on(element, {
      element(found) {
        for (const name of attributes) {
          const value = found.getAttribute(name)
          if (value !== null) found.setAttribute(name, linkThrough(value, place))
        }
      },
    })
  }
  return rewriter.transform(html)
}
