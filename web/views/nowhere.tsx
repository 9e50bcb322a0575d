/** What is shown for an address that leads nowhere. */
import { Empty } from './parts.tsx'

export function Nowhere() {
  return <main class="page"><h1>Nothing here</h1><Empty>This address leads nowhere. <a href="#/">Go to the overview.</a></Empty></main>
}
