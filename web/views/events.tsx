/** Events as a table. */
import type { Event } from '../../core/api/schema/types.ts'
import { eventCount, eventTime } from '../logic/sums.ts'
import { Age, ObjectLink, State } from './parts.tsx'

interface EventTableProps {
  readonly events: readonly Event[]
  readonly now: number
  /** Says what each event is about. */
  readonly withObject?: boolean
}

export function EventTable({ events, now, withObject }: EventTableProps) {
  return (
    <div class="scroll">
      <table>
        <thead><tr><th scope="col">Seen</th>{withObject === true && <th scope="col">Object</th>}<th scope="col">Reason</th><th scope="col" class="wide">Message</th></tr></thead>
        <tbody>
          {events.map((event) => (
            <tr key={event.metadata.uid}>
              <td class="tight"><Age at={eventTime(event)} now={now} />{eventCount(event) > 1 && <span class="quiet"> ×{eventCount(event)}</span>}</td>
              {withObject === true && (
                <td class="tight"><ObjectLink to={event.involvedObject} /><div class="quiet small">{event.involvedObject.namespace}</div></td>
              )}
              <td class="tight"><State text={event.reason ?? ''} tone={event.type === 'Warning' ? 'bad' : 'none'} /></td>
              <td class="wide message">{event.message}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
