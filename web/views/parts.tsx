/** Small things that several views are made of: states, bars, ages, chips, troubles, links to objects. */
import type { ComponentChildren } from 'preact'
import { since } from '../../core/api/age.ts'
import type { Refused } from '../api.ts'
import { useWorld } from '../context.ts'
import { resourceOf } from '../logic/resources.ts'
import type { Share } from '../logic/sums.ts'
import { wordTone, type Tone } from '../logic/table.ts'
import { objectPlace } from '../router.ts'

export function State({ text, tone }: { readonly text: string; readonly tone?: Tone | undefined }) {
  return <span class={`state ${tone ?? wordTone(text)}`}>{text}</span>
}

export function Age({ at, now }: { readonly at: string | undefined; readonly now: number }) {
  if (at === undefined || at === '') return <span class="quiet">–</span>
  return <time dateTime={at} title={new Date(at).toLocaleString()}>{since(at, Math.max(now, Date.parse(at)))}</time>
}

const words: Readonly<Record<number, string>> = {
  0: 'No connection',
  403: 'Not allowed',
  404: 'Not found',
  429: 'Too busy',
  500: 'The server failed',
  502: 'The node does not answer',
  503: 'Not available now',
}

/** In words what went wrong; `stale` says that what is shown is of before. That the server is gone the shell says, once for all. */
export function Trouble({ trouble, stale }: { readonly trouble: Refused; readonly stale?: boolean }) {
  if (stale === true && trouble.code === 0) return null
  return (
    <div class={`trouble ${stale === true ? 'stale' : ''}`} role="alert">
      <strong>{words[trouble.code] ?? 'It did not work'}</strong>
      <span>{trouble.message}{stale === true ? ' What you see is from before.' : ''}</span>
    </div>
  )
}

interface MeterProps {
  readonly label: string
  readonly share: Share
  readonly text: (value: number) => string
}

/** A bar without inline styles, which the content policy forbids: SVG has its width as an attribute. */
export function Meter({ label, share, text }: MeterProps) {
  const part = share.of === 0 ? 0 : Math.min(1, share.used / share.of)
  return (
    <div class="meter">
      <span class="meter-label">{label}</span>
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label={`${label}: ${text(share.used)} of ${text(share.of)}`}>
        <rect class="track" width="100" height="6" rx="3" />
        {part > 0 && <rect class={part > 0.9 ? 'fill full' : 'fill'} width={Math.max(2, part * 100)} height="6" rx="3" />}
      </svg>
      <span class="meter-text">{text(share.used)} <span class="quiet">/ {text(share.of)}</span></span>
    </div>
  )
}

export function Panel({ title, aside, children }: { readonly title: string; readonly aside?: ComponentChildren; readonly children: ComponentChildren }) {
  return (
    <section class="panel" aria-label={title}>
      <header><h2>{title}</h2>{aside !== undefined && <div class="aside">{aside}</div>}</header>
      {children}
    </section>
  )
}

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>
}

interface ReferenceProps {
  readonly to: { readonly apiVersion?: string; readonly kind?: string; readonly namespace?: string; readonly name?: string }
  readonly children?: ComponentChildren
}

/** A link where the server serves the kind, else the bare name. */
export function ObjectLink({ to, children }: ReferenceProps) {
  const { resources, namespace } = useWorld()
  const resource = resourceOf(resources, to)
  const text = children ?? `${to.kind ?? ''}/${to.name ?? ''}`
  if (resource === undefined || to.name === undefined || to.name === '') return <span>{text}</span>
  return <a href={objectPlace(resource, { namespace: resource.namespaced ? (to.namespace ?? '') : '', name: to.name }, namespace)}>{text}</a>
}

export function Chips({ pairs }: { readonly pairs: Readonly<Record<string, string>> }) {
  return (
    <ul class="chips">
      {Object.entries(pairs).map(([key, value]) => <li key={key} title={`${key}=${value}`}><span class="quiet">{key}</span>{value === '' ? '' : ` ${value}`}</li>)}
    </ul>
  )
}
