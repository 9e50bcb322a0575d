/** A plan as text for a terminal. What to say comes from plan.ts; here is only how. */
import { thingText, type Effects, type FieldChange, type FileOutcome, type Plan, type PodGroup, type Rollout, type Stuck } from './plan.ts'

const valueCharactersMax = 60
const fieldsMax = 12
const thingsMax = 40
const helpMax = 3
const nodesMax = 8

export function planText(plan: Plan): readonly string[] {
  const { effects, anyway } = plan
  return [
    ...section('FILES', plan.files.flatMap(fileText)),
    ...effectsText(effects),
    ...section('WOULD HAPPEN ANYWAY', anywayText(anyway)),
    ...section('WEBHOOKS NOT CALLED', plan.webhooks.flatMap(({ webhook, requests }) => [`${webhook}: ${requests.join(', ')}`])),
    ...section('NOT KNOWN', plan.unknown),
    verdictText(plan),
  ]
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`), '']
}

const marks = { create: '+', change: '~', delete: '-', none: '=', refuse: '!' } as const

function fileText({ verb, changes, message, notes, ...thing }: FileOutcome): readonly string[] {
  const end = verb === 'none' ? ': nothing changes' : verb === 'refuse' ? `: refused: ${message ?? ''}` : ''
  return [`${marks[verb]} ${thingText(thing)}${end}`, ...fieldText(changes), ...notes.map((note) => `    ${note}`)]
}

function fieldText(changes: readonly FieldChange[]): readonly string[] {
  const lines = changes.slice(0, fieldsMax).map((change) => `    ${change.path}: ${'before' in change ? valueText(change.before) : '(none)'} -> ${'after' in change ? valueText(change.after) : '(none)'}`)
  return changes.length > fieldsMax ? [...lines, `    and ${changes.length - fieldsMax} more fields`] : lines
}

function valueText(value: unknown): string {
  const text = typeof value === 'string' && !value.includes('\n') ? value : (JSON.stringify(value) ?? '')
  return text.length <= valueCharactersMax ? text : `${text.slice(0, valueCharactersMax - 3)}...`
}

function effectsText(effects: Effects): readonly string[] {
  return [
    ...section('FOLLOWS', limited(effects.objects.flatMap(({ verb, changes, ...thing }) => [`${marks[verb]} ${thingText(thing)}`, ...fieldText(changes)]))),
    ...section('PODS', [
      ...effects.placed.map((group) => `+ ${podsText(group)}${nodesText(group, 'on')}`),
      ...effects.gone.map((group) => `- ${podsText(group)}${nodesText(group, 'from')}: ${group.because}`),
    ]),
    ...section('ROLLOUTS', effects.rollouts.flatMap(rolloutText)),
    ...section('WOULD NOT RUN', effects.stuck.flatMap((one) => [stuckText(one), ...(one.cause === undefined ? [] : [`    ${one.cause}`]), ...(one.help ?? []).slice(0, helpMax).map((help) => `    would help: ${help}`)])),
    ...section('CLAIMS', effects.claims.map(({ phase, because, ...thing }) => `${thingText(thing)}: ${phase}${because === undefined ? '' : `, ${because}`}`)),
    ...section('SERVICES WITHOUT ENDPOINTS', effects.deserted.map(thingText)),
    ...section('QUOTA', effects.quotas.map(({ resource, before, after, hard, ...thing }) => `${thingText(thing)}: ${resource} ${before} -> ${after} of ${hard}`)),
    ...section('DISRUPTION BUDGETS NOT KEPT', effects.breached.map(({ healthy, desired, ...thing }) => `${thingText(thing)}: ${healthy} healthy on the way, ${desired} wanted`)),
  ]
}

function limited(lines: readonly string[]): readonly string[] {
  return lines.length <= thingsMax ? lines : [...lines.slice(0, thingsMax), `and ${lines.length - thingsMax} more lines: -o json shows all`]
}

function podsText({ owner, count }: Pick<PodGroup, 'owner' | 'count'>): string {
  if (owner.kind === 'Pod') return thingText(owner)
  return `${count} ${count === 1 ? 'pod' : 'pods'} of ${thingText(owner)}`
}

function nodesText({ nodes }: PodGroup, word: string): string {
  const names = Object.entries(nodes)
  if (names.length === 0) return ''
  const [first] = names
  if (names.length === 1 && first !== undefined) return ` ${word} ${first[0]}`
  const more = names.length <= nodesMax ? '' : ` and ${names.length - nodesMax} more nodes`
  return ` ${word} ${names.slice(0, nodesMax).map(([name, count]) => `${name} (${count})`).join(', ')}${more}`
}

function rolloutText({ owner, ready, lowest, steps, heldUpBy }: Rollout): readonly string[] {
  const way = steps.map(({ created, deleted }) => [created === 0 ? '' : `+${created}`, deleted === 0 ? '' : `-${deleted}`].filter((part) => part !== '').join(' ')).join(', ')
  const count = steps.length === 0 ? 'no pod is replaced' : `${steps.length} ${steps.length === 1 ? 'step' : 'steps'} (${way})`
  const line = `${thingText(owner)}: ${count}; of ${ready} ready pods at least ${lowest} on the way`
  return heldUpBy === undefined ? [line] : [line, `    does not come to its end: ${heldUpBy}`]
}

function stuckText({ about, pods, because }: Stuck): string {
  return `${pods === 0 ? thingText(about) : podsText({ owner: about, count: pods })}: ${because}`
}

/** Without the details: nobody asked for them. */
function anywayText({ objects, placed, gone, stuck }: Effects): readonly string[] {
  return limited([
    ...objects.map((object) => `${marks[object.verb]} ${thingText(object)}`),
    ...placed.map((group) => `+ ${podsText(group)}${nodesText(group, 'on')}`),
    ...gone.map((group) => `- ${podsText(group)}${nodesText(group, 'from')}: ${group.because}`),
    ...stuck.map((one) => `! ${stuckText(one)}`),
  ])
}

function verdictText({ verdict, files, effects, revision, objects }: Plan): string {
  const count = (verb: FileOutcome['verb']): number => files.filter((file) => file.verb === verb).length
  const parts = [[count('create'), 'created'], [count('change'), 'changed'], [count('delete'), 'deleted'], [count('none'), 'unchanged'], [count('refuse'), 'refused']] as const
  const sum = parts.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`).join(', ')
  const end = { nothing: 'Nothing would change', changes: 'This would be done', trouble: effects.stuck.length === 0 && count('refuse') > 0 ? 'Not all of this would be done' : 'Not all of this would run' }[verdict]
  return `${end}: ${sum === '' ? 'no objects' : sum}. Nothing was written (${objects} objects read, revision ${revision}).`
}
