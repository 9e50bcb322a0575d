/** The login: a bearer token, or how to come by a link. */
import { useState } from 'preact/hooks'
import { askJson, Refused } from '../api.ts'

interface LoginProps {
  /** Why the reader is here, if not for the first time. */
  readonly why: string
  readonly onSignedIn: () => void
}

export function Login({ why, onSignedIn }: LoginProps) {
  const [token, setToken] = useState('')
  const [trouble, setTrouble] = useState(why)
  const [busy, setBusy] = useState(false)
  const submit = (event: Event): void => {
    event.preventDefault()
    setBusy(true)
    askJson('/ui/login', { body: { token: token.trim() } }).then(
      () => {
        if (location.hash === '#/expired') location.hash = '#/'
        onSignedIn()
      },
      (error: unknown) => {
        setBusy(false)
        setTrouble(error instanceof Refused ? error.message : String(error))
      },
    )
  }
  return (
    <main class="login">
      <form class="card" onSubmit={submit}>
        <h1 class="brand big"><Mark />Kubun</h1>
        {trouble !== '' && <p class="trouble" role="alert">{trouble}</p>}
        <label for="token">Bearer token</label>
        <input id="token" type="password" autocomplete="off" spellcheck={false} autofocus required value={token} onInput={(event) => setToken(event.currentTarget.value)} placeholder="eyJhbGciOi…" />
        <button class="primary" type="submit" disabled={busy || token.trim() === ''}>{busy ? 'Signing in …' : 'Sign in'}</button>
        <div class="or"><span>or</span></div>
        <p>On the server, as root, print a link that signs you in as administrator. It works once, for ten minutes.</p>
        <pre class="command">kubun dashboard</pre>
        <p class="quiet">With a token you sign in as its owner: <code>kubectl create token NAME</code> makes one for a service account. You see what your own rights let you see.</p>
      </form>
    </main>
  )
}

export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M10 7v18M10 17l11-10M13.5 14 22 25" />
    </svg>
  )
}
