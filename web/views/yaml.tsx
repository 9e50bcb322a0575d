/** An object as YAML, to read and to copy. What is secret and what is long stands behind a switch. */
import { useMemo, useState } from 'preact/hooks'
import type { AnyObject } from '../../core/api/meta.ts'
import { sortedKeys, yamlLines, yamlText } from '../logic/yaml.ts'
import type { TabProps } from './object.tsx'

export function YamlView({ resource, object }: TabProps) {
  const [whole, setWhole] = useState(false)
  const [open, setOpen] = useState(false)
  const [copied, setCopied] = useState(false)
  const isSecret = resource.group === '' && resource.kind === 'Secret'
  const shown = useMemo(() => sortedKeys(forReading(object, { whole, open: open || !isSecret })), [object, whole, open, isSecret])
  const lines = useMemo(() => yamlLines(shown), [shown])
  const copy = (): void => {
    navigator.clipboard.writeText(yamlText(shown)).then(
      () => {
        setCopied(true)
        setTimeout(() => setCopied(false), 2_000)
      },
      () => undefined,
    )
  }
  return (
    <section class="panel" aria-label="YAML">
      <header>
        <h2>YAML</h2>
        <div class="aside">
          {isSecret && <label class="check"><input type="checkbox" checked={open} onChange={() => setOpen(!open)} /> Values</label>}
          <label class="check"><input type="checkbox" checked={whole} onChange={() => setWhole(!whole)} /> Managed fields</label>
          <button class="plain" onClick={copy}>{copied ? 'Copied' : 'Copy'}</button>
        </div>
      </header>
      <pre class="yaml" tabIndex={0}>
        {lines.map((line, index) => <div key={index}>{line.map((word) => (word.kind === 'mark' ? word.text : <span class={word.kind}>{word.text}</span>))}{line.length === 0 ? '\n' : ''}</div>)}
      </pre>
    </section>
  )
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

function forReading(object: AnyObject, { whole, open }: { readonly whole: boolean; readonly open: boolean }): object {
  const { apiVersion, kind, metadata, ...rest } = object
  const { managedFields, annotations, ...more } = metadata
  // kubectl apply's own copy of a Secret would show what the switch hides.
  const shown = annotations === undefined || open ? annotations : Object.fromEntries(Object.entries(annotations).map(([key, value]) => [key, key === lastApplied ? hidden : value]))
  const tail = open ? rest : Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, key === 'data' || key === 'stringData' ? hideValues(value) : value]))
  return {
    apiVersion, kind,
    metadata: { ...more, ...(shown === undefined ? {} : { annotations: shown }), ...(whole && managedFields !== undefined ? { managedFields } : {}) },
    ...tail,
  }
}

const hidden = '••••••••'

function hideValues(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.keys(value).map((key) => [key, hidden])) : value
}
