/** Why an object does not run: the cause as a notice, its details unfolding. Asked anew when the object changed, and now and then while something is wrong. */
import { useEffect, useState } from 'preact/hooks'
import type { AnyObject } from '../../core/api/meta.ts'
import { askJson } from '../api.ts'
import type { Resource } from '../logic/resources.ts'
import { whyNotice, whyPath, type WhyAnswer, type WhyNotice } from '../logic/why.ts'

/** After a change things settle first; what has not changed may have another cause by then. */
const soonMs = 1_000
const againMs = 15_000

export function Why({ resource, object }: { readonly resource: Resource; readonly object: AnyObject }) {
  const { name = '', namespace = '', resourceVersion = '' } = object.metadata
  const path = whyPath(resource, { name, namespace })
  const notice = useAnswer(path, resourceVersion)
  if (notice === undefined) return null
  const { cause, sections } = notice
  return (
    <section class="trouble why" aria-label="Why it does not run">
      <strong>{cause}</strong>
      {sections.length > 0 && (
        <details>
          <summary>Details, and what would help</summary>
          {sections.map(({ title, lines }) => (
            <div key={title}>
              <h3>{title}</h3>
              <ul>{lines.map((line, at) => <li key={at}>{line}</li>)}</ul>
            </div>
          ))}
        </details>
      )}
    </section>
  )
}

/** A question that is refused or lost is no trouble of the object: nothing is shown then. */
function useAnswer(path: string | undefined, version: string): WhyNotice | undefined {
  const [shown, setShown] = useState<{ readonly path: string; readonly notice: WhyNotice | undefined }>()
  useEffect(() => {
    if (path === undefined) return undefined
    const life = new AbortController()
    let timer: ReturnType<typeof setTimeout>
    const ask = async (): Promise<void> => {
      const answer = await askJson<WhyAnswer>(path, { signal: life.signal }).catch(() => undefined)
      if (life.signal.aborted) return
      const notice = answer === undefined ? undefined : whyNotice(answer)
      setShown({ path, notice })
      if (notice !== undefined) timer = setTimeout(() => void ask(), againMs)
    }
    timer = setTimeout(() => void ask(), soonMs)
    return () => {
      life.abort()
      clearTimeout(timer)
    }
  }, [path, version])
  return shown?.path === path ? shown?.notice : undefined
}
