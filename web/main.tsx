/** The dashboard in the browser: asks who is signed in, then shows the login or the shell around the view of the place. */
import { render } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { askJson, discover, onSignedOut, Refused } from './api.ts'
import { usePlace, WorldContext, type Me } from './context.ts'
import { resourcesOf, type Discovery, type Resource } from './logic/resources.ts'
import { viewOf } from './views.ts'
import { Login } from './views/login.tsx'
import { Trouble } from './views/parts.tsx'
import { Shell } from './views/shell.tsx'

type Session = { readonly state: 'asking' } | { readonly state: 'out'; readonly why: string } | { readonly state: 'in'; readonly me: Me } | { readonly state: 'broken'; readonly why: Refused }

const ended = 'Your session has ended. Sign in again to go on where you were.'
const spent = 'This link was used already, or is older than ten minutes.'

function App() {
  const [session, setSession] = useState<Session>({ state: 'asking' })
  const place = usePlace()
  const who = (): void => {
    askJson<{ readonly user: Me | null }>('/ui/me').then(
      ({ user }) => setSession(user === null ? { state: 'out', why: '' } : { state: 'in', me: user }),
      (error: unknown) => setSession({ state: 'broken', why: error instanceof Refused ? error : new Refused(0, String(error)) }),
    )
  }
  useEffect(() => {
    onSignedOut(() => setSession({ state: 'out', why: ended }))
    who()
  }, [])
  if (session.state === 'asking') return <div class="center quiet">Loading …</div>
  if (session.state === 'broken') return <div class="center"><Trouble trouble={session.why} /><button class="plain" onClick={who}>Try again</button></div>
  if (session.state === 'out') {
    const expired = place.parts[0] === 'expired'
    return <Login why={expired ? spent : session.why} onSignedIn={who} />
  }
  return <SignedIn me={session.me} onSignedOut={() => setSession({ state: 'out', why: '' })} />
}

function SignedIn({ me, onSignedOut: left }: { readonly me: Me; readonly onSignedOut: () => void }) {
  const place = usePlace()
  const [resources, setResources] = useState<readonly Resource[]>()
  const [trouble, setTrouble] = useState<Refused>()
  useEffect(() => {
    const life = new AbortController()
    const load = (): void => {
      discover(life.signal).then(
        (documents) => {
          setResources(resourcesOf(documents as readonly Discovery[]))
          setTrouble(undefined)
        },
        (error: unknown) => {
          if (!life.signal.aborted) setTrouble(error instanceof Refused ? error : new Refused(0, String(error)))
        },
      )
    }
    load()
    const timer = setInterval(load, discoverEveryMs) // custom kinds come and go
    return () => {
      clearInterval(timer)
      life.abort()
    }
  }, [])
  if (resources === undefined) return <div class="center">{trouble === undefined ? <span class="quiet">Loading …</span> : <Trouble trouble={trouble} />}</div>
  const View = viewOf(place)
  return (
    <WorldContext value={{ me, resources, namespace: place.query['ns'] ?? '', place }}>
      <Shell onSignedOut={left}>
        <View key={place.parts.join('/')} />
      </Shell>
    </WorldContext>
  )
}

const discoverEveryMs = 60_000

const root = document.getElementById('app')
if (root !== null) render(<App />, root)
