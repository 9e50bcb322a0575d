/** Every view, in the order in which they are asked whether a place is theirs. To add one: a file in views/, a line here. */
import type { FunctionComponent } from 'preact'
import type { Place } from './router.ts'
import { ListView } from './views/list.tsx'
import { Nowhere } from './views/nowhere.tsx'
import { ObjectView } from './views/object.tsx'
import { Overview } from './views/overview.tsx'

interface View {
  readonly is: (parts: Place['parts']) => boolean
  readonly view: FunctionComponent
}

const views: readonly View[] = [
  { is: (parts) => parts.length === 0 || parts[0] === 'expired', view: Overview },
  { is: (parts) => parts[0] === 'list' && parts.length === 4, view: ListView },
  { is: (parts) => parts[0] === 'object' && parts.length === 6, view: ObjectView },
]

export function viewOf({ parts }: Place): FunctionComponent {
  return views.find(({ is }) => is(parts))?.view ?? Nowhere
}
