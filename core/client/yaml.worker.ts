/** The reader of large YAML: one text in, what it says out. It keeps nothing. */
import { parseYaml } from '../api/codec/yaml.ts'

declare const self: { onmessage: ((event: { data: string }) => void) | null; postMessage(value: unknown): void }

self.onmessage = (event) => {
  try {
    self.postMessage(parseYaml(event.data))
  } catch (error) {
    self.postMessage({ ok: false, error: error instanceof Error ? error.message : String(error) })
  }
}
