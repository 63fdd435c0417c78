// tables.ts: the tables of the page: how much of what, messages by states, timers.
import { unborn } from './chart.ts'
import type { Fate } from './counts.ts'
import { html, type Markup, type Part, spoken } from './markup.ts'
import { type CoverageReport, type DefinitionReport, type Measure, type MessageReport, measures } from './report.ts'
import { times } from './statechart.ts'

/** How much of what was covered, definition by definition. */
export function overview({ total, definitions }: CoverageReport): Markup {
  return html`<div class="scroll" role="region" aria-label="Overview" tabindex="0"><table class="overview">
<thead><tr><th scope="col">definition</th>${measures.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${definitions.map(
    (each, index) => html`<tr><th scope="row"><a class="name" href="#d${index}">${each.name}</a></th>${measures.map(
      (name) => html`<td>${measure(each.measures[name])}</td>`,
    )}</tr>
`,
  )}</tbody>
<tfoot><tr><th scope="row">all</th>${measures.map((name) => html`<td>${measure(total[name])}</td>`)}</tr></tfoot>
</table></div>`
}

function measure({ covered, total, percent }: Measure): Markup {
  if (total === 0) return html`<span class="soft">none${spoken(' to cover')}</span>`
  const how = covered === total ? 'all' : percent >= 80 ? 'most' : 'few'
  return html`<span class="measure"><span><b>${percent} %</b> <small>${covered} of ${total}</small></span><span class="bar ${how}" aria-hidden="true"><i style="inline-size:${percent}%"></i></span></span>`
}

const marks: Readonly<Record<Fate, string>> = { handled: '✓', ignored: '○', refused: '✗' }
const fates = Object.keys(marks) as readonly Fate[]

/** What the marks in {@link messageTable} mean. */
export function legend(): Markup {
  const meanings: Readonly<Record<Fate, string>> = {
    handled: 'handled: a transition took it',
    ignored: 'ignored, as declared',
    refused: 'refused: answered, parked, or too late',
  }
  return html`<ul class="legend">${fates.map(
    (fate) => html`<li><span class="fate ${fate}" aria-hidden="true">${marks[fate]}</span> ${meanings[fate]}</li>`,
  )}<li><span class="fate never" aria-hidden="true">·</span> never tried</li></ul>`
}

/** Messages by the states in which they met the entity. */
export function messageTable({ name, columns, messages }: DefinitionReport, label: string): Markup {
  return html`<div class="scroll" role="region" aria-labelledby="${label}" tabindex="0"><table class="grid">
<thead><tr><th scope="col">message</th>${columns.map((column) => html`<th scope="col">${inTwoLines(shortName(name, column))}</th>`)}</tr></thead>
<tbody>${messages.map(
    (message) => html`<tr><th scope="row"><span class="name">${message.type}</span></th>${message.cells.map(
      (cell, index) =>
        isNone(message, columns[index]) ? html`<td class="soft">–${spoken(' does not apply')}</td>` : cellOf(cell),
    )}</tr>
`,
  )}</tbody>
</table></div>`
}

/** `transport.running.` above `playing`: columns stay narrow. */
function inTwoLines(path: string): Part {
  const dot = path.lastIndexOf('.') + 1
  return dot === 0 ? path : html`<small>${path.slice(0, dot)}</small>${path.slice(dot)}`
}

/** A command brings its entity to life and meets it in its first state. */
function isNone({ kind }: MessageReport, column: string | undefined): boolean {
  return column === unborn && kind === 'command'
}

function cellOf(cell: Readonly<Record<Fate, number>>): Markup {
  const seen = fates.filter((fate) => cell[fate] > 0)
  if (seen.length === 0) {
    return html`<td class="never"><span class="fate never"><span aria-hidden="true">·</span>${spoken('never tried')}</span></td>`
  }
  return html`<td>${seen.map(
    (fate) =>
      html`<span class="fate ${fate}"><span aria-hidden="true">${marks[fate]} </span>${cell[fate].toLocaleString('en')}${spoken(` ${fate}`)}</span>`,
  )}</td>`
}

/** Timers: each should have fired once, and have been cancelled once where it can be. */
export function timerTable({ timers, name }: DefinitionReport, label: string): Markup {
  return html`<div class="scroll" role="region" aria-labelledby="${label}" tabindex="0"><table>
<thead><tr><th scope="col">timer</th><th scope="col">armed</th><th scope="col">fired</th><th scope="col">cancelled</th></tr></thead>
<tbody>${timers.map(
    (timer) => html`<tr><th scope="row"><span class="name">${shortName(name, timer.name)}</span></th>
<td>${timer.armed > 0 ? times(timer.armed) : html`<span class="count missed">✗ never</span>`}</td><td>${end(timer.fired)}</td><td>${timer.cancellable ? end(timer.cancelled) : '–'}</td></tr>
`,
  )}</tbody>
</table></div>`
}

function end(count: number): Markup {
  return count > 0
    ? html`<span class="count">✓ ${times(count)}</span>`
    : html`<span class="count missed">✗ never</span>`
}

/** Without the entity type, which stands above. */
function shortName(type: string, name: string): string {
  return name.startsWith(`${type}.`) ? name.slice(type.length + 1) : name
}
