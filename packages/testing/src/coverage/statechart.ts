// statechart.ts: a machine on the page: states as boxes in boxes, each with its transitions, marked by what was covered.
import type { AnyStateNode } from 'xstate'
import type { Chart } from './chart.ts'
import { html, type Markup, spoken } from './markup.ts'
import type { DefinitionReport, TransitionReport } from './report.ts'

/** The statechart of one definition. @param prefix - Makes the ids of its states unique on the page. */
export function statechart(chart: Chart, report: DefinitionReport, prefix: string): Markup {
  return html`<ul class="states">${new Drawing(chart, report, prefix).state(chart.states[0]?.node)}</ul>`
}

class Drawing {
  readonly #chart: Chart
  readonly #prefix: string
  readonly #entered: ReadonlyMap<string, number>
  readonly #reports: ReadonlyMap<string, TransitionReport>
  readonly #names: ReadonlyMap<AnyStateNode, string>
  readonly #ids: ReadonlyMap<string, string>

  constructor(chart: Chart, report: DefinitionReport, prefix: string) {
    this.#chart = chart
    this.#prefix = prefix
    this.#entered = new Map(report.states.map(({ name, entered }) => [name, entered]))
    this.#reports = new Map(report.transitions.map((transition) => [transition.name, transition]))
    this.#names = new Map(chart.states.map(({ node, name }) => [node, name]))
    this.#ids = new Map(chart.states.map(({ name }, index) => [name, `${this.#prefix}-${index}`]))
  }

  state(node: AnyStateNode | undefined): Markup | undefined {
    const name = node === undefined ? undefined : this.#names.get(node)
    if (node === undefined || name === undefined) return undefined
    const entered = this.#entered.get(name) ?? 0
    const children = Object.values(node.states as Record<string, AnyStateNode>)
    const transitions = this.#chart.transitions.filter(({ state }) => state === name)
    const classes = [
      'state',
      node.type,
      entered > 0 ? 'covered' : 'missed',
      children.length > 0 ? 'wide' : '',
      this.#isWhole(node) ? 'whole' : '',
    ]
    return html`<li class="${classes.filter(Boolean).join(' ')}" id="${this.#ids.get(name)}">
<p class="title"><span class="name">${node.parent === undefined ? name : node.key}</span>
<span class="kind">${kindOf(node)}</span>
<span class="count">${entered > 0 ? html`✓ ${times(entered)}${spoken(' entered')}` : '✗ never entered'}</span></p>
${about(node.description)}
${transitions.length > 0 && html`<ul class="transitions">${transitions.map((place) => this.#transition(place))}</ul>`}
${children.length > 0 && html`<ul class="states">${children.map((child) => this.state(child))}</ul>`}
</li>`
  }

  #transition({ name, on, targets, transition }: Chart['transitions'][number]): Markup | undefined {
    const report = this.#reports.get(name)
    if (report === undefined) return undefined
    const { taken, guard } = report
    const isWhole = taken > 0 && isGuardWhole(report)
    return html`<li class="transition ${taken > 0 ? 'covered' : 'missed'} ${isWhole && 'whole'}">
<span class="mark" aria-hidden="true">${taken > 0 ? '✓' : '✗'}</span>
<span class="what"><span class="event name">${on.replace(/^on (?!done|error)/, '')}</span> ${targets.length > 0 ? html`<span aria-hidden="true">→</span>${spoken(' leads to ')} ${targets.map((target) => this.#link(target, transition.source as AnyStateNode))}` : html`<span class="soft">stays</span>`}
${guard !== undefined && html`<span class="guard">if <span class="name">${guardName(transition.guard)}</span>: ${way('true', guard.passed)}, ${way('false', guard.failed)}</span>`}
${transition.description !== undefined && html`<span class="about">${transition.description}</span>`}</span>
<span class="count">${taken > 0 ? html`${times(taken)}${spoken(' taken')}` : 'never taken'}</span>
</li>`
  }

  #link(target: string, source: AnyStateNode): Markup {
    const short = this.#seenFrom(source.parent ?? source, target)
    const id = this.#ids.get(target)
    // A history state is no state of its own.
    return id === undefined
      ? html`<span class="name">${short}</span>`
      : html`<a class="name" href="#${id}">${short}</a>`
  }

  /** A neighbour by its own name, a state farther away by its path from where both are. */
  #seenFrom(around: AnyStateNode, target: string): string {
    const name = this.#names.get(around)
    if (name !== undefined && target.startsWith(`${name}.`)) return target.slice(name.length + 1)
    return around.parent === undefined ? target : this.#seenFrom(around.parent, target)
  }

  /** Whether nothing in it is missing. */
  #isWhole(node: AnyStateNode): boolean {
    const name = this.#names.get(node)
    if (name === undefined) return true
    const transitions = [...this.#reports.values()].filter(({ state }) => state === name)
    return (
      (this.#entered.get(name) ?? 0) > 0 &&
      transitions.every((each) => each.taken > 0 && isGuardWhole(each)) &&
      Object.values(node.states as Record<string, AnyStateNode>).every((child) => this.#isWhole(child))
    )
  }
}

/** `12×`. */
export function times(count: number): string {
  return `${count.toLocaleString('en')}×`
}

function isGuardWhole({ guard }: TransitionReport): boolean {
  return guard === undefined || (guard.passed > 0 && guard.failed > 0)
}

function way(result: 'true' | 'false', count: number): Markup {
  if (count > 0) return html`<span class="way">${result} ${times(count)}</span>`
  return html`<span class="way missed">✗ never ${result}</span>`
}

function about(description: string | undefined): Markup | undefined {
  return description === undefined ? undefined : html`<p class="about">${description}</p>`
}

function kindOf({ type, parent, key }: AnyStateNode): string {
  const isInitial = parent?.type === 'compound' && parent.initial.target.some((target) => target.key === key)
  const kinds = [isInitial ? '● initial' : '', type === 'final' || type === 'parallel' ? type : '']
  return kinds.filter(Boolean).join(', ')
}

/** A guard by the name that a person gave it; an inline one by what it says. */
function guardName(guard: unknown): string {
  if (typeof guard === 'string') return guard
  if (typeof guard === 'object') return String((guard as { readonly type?: unknown } | null)?.type)
  const { check, guards, stateValue } = guard as {
    readonly check?: { readonly name: string }
    readonly guards?: readonly unknown[]
    readonly stateValue?: unknown
  }
  if (stateValue !== undefined) return `in ${pathOf(stateValue)}`
  if (guards === undefined || check === undefined) return sourceOf(guard as () => unknown)
  const joined = guards.map(guardName)
  if (check.name === 'checkNot') return `not ${joined[0]}`
  return joined.join(check.name === 'checkOr' ? ' or ' : ' and ')
}

/** `{ transport: { running: 'playing' } }` as `transport.running.playing`. */
function pathOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .map(([key, inner]) => `${key}.${pathOf(inner)}`)
    .join(' and ')
}

const longestSource = 90

/** What stands behind the arrow. Test runners put names of their own before what is imported. */
function sourceOf(guard: () => unknown): string {
  const text = guard
    .toString()
    .replace(/\b__vi\w*_import_\d+__\.(?:default\.)?/g, '')
    .replace(/\s+/g, ' ')
  const body = /^(?:\([^()]*\)|\w+) => (?!\{)(.*)$/.exec(text)?.[1]
  return body === undefined || body.length > longestSource ? 'an inline guard' : body
}
