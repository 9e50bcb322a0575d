/** The log of a pod's container, as it is written. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Pod } from '../../core/api/schema/types.ts'
import { ask, lineBatches, Refused } from '../api.ts'
import { apiPath } from '../logic/resources.ts'
import { containersOf } from '../logic/state.ts'
import type { TabProps } from './object.tsx'
import { Empty, Trouble } from './parts.tsx'

/** Lines that are kept; older ones go. */
const linesMax = 5_000
const tails = ['100', '500', '2000', '5000'] as const
/** So often what came is shown. */
const showEveryMs = 100
/** After so long a broken connection is made again. */
const againMs = 2_000

interface Asked {
  readonly path: string
  readonly container: string
  readonly tail: string
  readonly follow: boolean
  readonly previous: boolean
  readonly times: boolean
}

export function Logs({ resource, object }: TabProps) {
  const containers = containersOf(object as unknown as Pod)
  const usual = containers.find((line) => line.role === 'container')?.name ?? ''
  const [container, setContainer] = useState(usual)
  const [tail, setTail] = useState<string>('500')
  const [follow, setFollow] = useState(true)
  const [previous, setPrevious] = useState(false)
  const [times, setTimes] = useState(false)
  const [wrap, setWrap] = useState(true)
  const path = `${apiPath(resource, object.metadata.namespace ?? '', object.metadata.name ?? '')}/log`
  const { lines, trouble, state } = useLog({ path, container, tail, follow, previous, times })
  return (
    <section class="panel" aria-label="Log">
      <header>
        <div class="aside start">
          <label class="choice">Container
            <select value={container} onChange={(event) => setContainer(event.currentTarget.value)}>
              {containers.map((line) => <option key={line.name} value={line.name}>{line.name}{line.role === 'container' ? '' : ` (${line.role})`}</option>)}
            </select>
          </label>
          <label class="choice">Last
            <select value={tail} onChange={(event) => setTail(event.currentTarget.value)}>
              {tails.map((count) => <option key={count} value={count}>{count} lines</option>)}
            </select>
          </label>
          <Check text="Follow" value={follow} set={setFollow} />
          <Check text="Previous run" value={previous} set={setPrevious} />
          <Check text="Times" value={times} set={setTimes} />
          <Check text="Wrap" value={wrap} set={setWrap} />
        </div>
        <div class="aside"><span class={`live ${state}`} role="status">{stateWords[state]}</span></div>
      </header>
      {trouble !== undefined && <Trouble trouble={trouble} />}
      {lines.length === 0 && trouble === undefined && <Empty>{state === 'loading' ? 'Loading …' : 'The log is empty.'}</Empty>}
      {lines.length > 0 && <LogText lines={lines} wrap={wrap} />}
    </section>
  )
}

const stateWords = { loading: 'loading', live: 'live', ended: 'ended' } as const

function Check({ text, value, set }: { readonly text: string; readonly value: boolean; readonly set: (value: boolean) => void }) {
  return <label class="check"><input type="checkbox" checked={value} onChange={() => set(!value)} /> {text}</label>
}

/** Stays at the end while the reader is there. */
function LogText({ lines, wrap }: { readonly lines: readonly string[]; readonly wrap: boolean }) {
  const box = useRef<HTMLPreElement>(null)
  const atEnd = useRef(true)
  useLayoutEffect(() => {
    if (box.current !== null && atEnd.current) box.current.scrollTop = box.current.scrollHeight
  }, [lines, wrap])
  const scrolled = (): void => {
    const { scrollTop = 0, scrollHeight = 0, clientHeight = 0 } = box.current ?? {}
    atEnd.current = scrollHeight - scrollTop - clientHeight < 24
  }
  return <pre class={`log ${wrap ? 'wrap' : ''}`} tabIndex={0} ref={box} onScroll={scrolled}>{lines.join('\n')}</pre>
}

interface Shown {
  readonly lines: readonly string[]
  readonly trouble: Refused | undefined
  readonly state: 'loading' | 'live' | 'ended'
}

function useLog(asked: Asked): Shown {
  const [shown, setShown] = useState<Shown>({ lines: [], trouble: undefined, state: 'loading' })
  useEffect(() => {
    const life = new AbortController()
    setShown({ lines: [], trouble: undefined, state: 'loading' })
    void readOn(asked, life.signal, (next) => {
      if (!life.signal.aborted) setShown(next)
    })
    return () => life.abort()
  }, Object.values(asked))
  return shown
}

/** A connection that broke is made again, and the log read again from its tail. Never rejects. */
async function readOn(asked: Asked, signal: AbortSignal, show: (shown: Shown) => void): Promise<void> {
  while (!signal.aborted) {
    if (!(await read(asked, signal, show)) || !asked.follow) return
    await new Promise((resolve) => setTimeout(resolve, againMs))
  }
}

/** Whether the connection broke. Never rejects. */
async function read({ path, container, tail, follow, previous, times }: Asked, signal: AbortSignal, show: (shown: Shown) => void): Promise<boolean> {
  const query = new URLSearchParams({ container, tailLines: tail, ...(follow && !previous ? { follow: 'true' } : {}), ...(previous ? { previous: 'true' } : {}), ...(times ? { timestamps: 'true' } : {}) })
  let lines: readonly string[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    const response = await ask(`${path}?${query.toString()}`, { signal, accept: '*/*' })
    show({ lines, trouble: undefined, state: follow && !previous ? 'live' : 'loading' })
    for await (const batch of lineBatches(response)) {
      lines = [...lines, ...batch].slice(-linesMax)
      timer ??= setTimeout(() => {
        timer = undefined
        show({ lines, trouble: undefined, state: 'live' })
      }, showEveryMs)
    }
    show({ lines, trouble: undefined, state: 'ended' })
    return false
  } catch (error) {
    const trouble = error instanceof Refused ? error : new Refused(0, 'The connection broke.')
    show({ lines, trouble, state: 'ended' })
    return trouble.code === 0
  } finally {
    clearTimeout(timer)
  }
}
