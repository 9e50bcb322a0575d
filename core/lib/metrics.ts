/**
 * Metrics: counters, gauges and histograms with labels, rendered in Prometheus' text format. A part makes its own
 * registry and shows only that on its endpoint; nothing is global. Values that are cheap to read are read when asked.
 */

export type Labels = readonly string[]

export interface Counter {
  inc(labels?: Labels, by?: number): void
  value(labels?: Labels): number
}

export interface Gauge extends Counter {
  set(value: number, labels?: Labels): void
}

export interface Histogram {
  observe(value: number, labels?: Labels): void
  /** One series, looked up once: for what is observed often. */
  of(labels: Labels): (value: number) => void
}

interface MetricInit {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
}

export interface Metrics {
  counter(init: MetricInit): Counter
  gauge(init: MetricInit): Gauge
  /** A gauge whose value is read at rendering. */
  read(init: MetricInit & { readonly type?: 'gauge' | 'counter' }, value: () => number): void
  /** The same with labels: all series are read at rendering. */
  collect(init: MetricInit & { readonly type?: 'gauge' | 'counter' }, series: () => Iterable<readonly [Labels, number]>): void
  histogram(init: MetricInit & { readonly buckets: readonly number[] }): Histogram
  render(): string
}

/** Series a metric may have; further label combinations are counted under one series of empty labels. */
export const seriesMax = 5_000

export function createMetrics(): Metrics {
  const families = new Map<string, () => string>()
  const add = (name: string, render: () => string): void => {
    if (families.has(name)) throw new Error(`metric ${name} exists already`)
    families.set(name, render)
  }
  const numbers = (init: MetricInit, type: string): Gauge => {
    const series = new Series(init, () => ({ value: 0 }))
    add(init.name, () => head(init, type) + series.lines((cell, labels) => `${init.name}${braces(labels)} ${cell.value}\n`))
    return {
      inc: (labels = [], by = 1) => void (series.at(labels).value += by),
      set: (value, labels = []) => void (series.at(labels).value = value),
      value: (labels = []) => series.at(labels).value,
    }
  }
  return {
    counter: (init) => numbers(init, 'counter'),
    gauge: (init) => numbers(init, 'gauge'),
    read: (init, value) => add(init.name, () => `${head(init, init.type ?? 'gauge')}${init.name} ${value()}\n`),
    collect: (init, series) =>
      add(init.name, () => {
        let text = head(init, init.type ?? 'gauge')
        for (const [labels, value] of series()) text += `${init.name}${braces(labelText(init.labels ?? [], labels))} ${value}\n`
        return text
      }),
    histogram(init) {
      const limits = init.buckets
      const series = new Series(init, () => ({ sum: 0, count: 0, buckets: Array.from({ length: limits.length }, () => 0) }))
      add(init.name, () => head(init, 'histogram') + series.lines((cell, labels) => histogramLines(init, cell, labels)))
      const count = (cell: HistogramCell, value: number): void => {
        cell.sum += value
        cell.count++
        let at = 0
        while (at < limits.length && value > (limits[at] as number)) at++
        if (at < limits.length) cell.buckets[at] = (cell.buckets[at] as number) + 1
      }
      return {
        observe: (value, labels = []) => count(series.at(labels), value),
        of(labels) {
          let cell: HistogramCell | undefined
          return (value) => count((cell ??= series.at(labels)), value)
        },
      }
    },
    render: () => [...families.values()].map((family) => family()).join(''),
  }
}

interface HistogramCell {
  sum: number
  count: number
  /** Observations of each bucket alone; rendering adds them up. */
  buckets: number[]
}

class Series<Cell> {
  readonly #names: readonly string[]
  readonly #make: () => Cell
  readonly #cells = new Map<string, { readonly cell: Cell; readonly labels: string }>()

  constructor(init: MetricInit, make: () => Cell) {
    this.#names = init.labels ?? []
    this.#make = make
  }

  at(values: Labels): Cell {
    const id = values.length === 1 ? (values[0] ?? '') : values.join('\0')
    const known = this.#cells.get(id)
    if (known !== undefined) return known.cell
    if (this.#cells.size >= seriesMax && id !== '') return this.at([])
    const cell = this.#make()
    this.#cells.set(id, { cell, labels: labelText(this.#names, values) })
    return cell
  }

  lines(one: (cell: Cell, labels: string) => string): string {
    let text = ''
    for (const { cell, labels } of this.#cells.values()) text += one(cell, labels)
    return text
  }
}

function labelText(names: readonly string[], values: Labels): string {
  return names.map((name, i) => `${name}="${escape(values[i] ?? '')}"`).join(',')
}

function histogramLines(init: { readonly name: string; readonly buckets: readonly number[] }, cell: HistogramCell, labels: string): string {
  const comma = labels === '' ? '' : `${labels},`
  let below = 0
  let text = ''
  init.buckets.forEach((limit, i) => {
    below += cell.buckets[i] ?? 0
    text += `${init.name}_bucket{${comma}le="${limit}"} ${below}\n`
  })
  text += `${init.name}_bucket{${comma}le="+Inf"} ${cell.count}\n`
  return `${text}${init.name}_sum${braces(labels)} ${cell.sum}\n${init.name}_count${braces(labels)} ${cell.count}\n`
}

function head(init: MetricInit, type: string): string {
  return `# HELP ${init.name} ${init.help}\n# TYPE ${init.name} ${type}\n`
}

function braces(labels: string): string {
  return labels === '' ? '' : `{${labels}}`
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
