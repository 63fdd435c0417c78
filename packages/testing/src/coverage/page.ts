// page.ts: a coverage as one page of HTML. It needs no network, no script and no mouse.
import type { Chart } from './chart.ts'
import { html, Markup } from './markup.ts'
import type { CoverageReport, DefinitionReport } from './report.ts'
import { statechart } from './statechart.ts'
import { style } from './style.ts'
import { legend, messageTable, overview, timerTable } from './tables.ts'

/** What the page shows. */
export interface PageContent {
  readonly title: string
  readonly report: CoverageReport
  /** In the order of the report's definitions. */
  readonly charts: readonly Chart[]
}

/** See the file head. */
export function coveragePage({ title, report, charts }: PageContent): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<a class="skip" href="#main">To the statecharts</a>
<header>
<h1>${title}</h1>
<p class="soft">What was seen of each machine, and what never was. ✓ seen, ✗ missing.</p>
<label class="only"><input type="checkbox" id="only"> Show only what is missing in the statecharts</label>
${overview(report)}
</header>
<main id="main">
${report.definitions.map((each, index) => section(each, charts[index], `d${index}`))}
</main>
<footer><p>Made by <code>@interstate/testing</code>. Counts say how often something was seen, in all runs together.</p></footer>
</body>
</html>
`.html
}

function section(report: DefinitionReport, chart: Chart | undefined, id: string): Markup | undefined {
  if (chart === undefined) return undefined
  const { name, kind, timers, messages } = report
  return html`<section class="definition" id="${id}" aria-labelledby="${id}-name">
<header><h2 class="name" id="${id}-name">${name}</h2><span class="badge">${kind}</span> ${summary(report)}</header>
<h3 id="${id}-chart">Statechart</h3>
${statechart(chart, report, id)}
<h3 id="${id}-messages">Messages by state</h3>
${messages.length === 0 ? html`<p class="soft">It takes no messages.</p>` : [messageTable(report, `${id}-name ${id}-messages`), legend()]}
${timers.length > 0 && html`<h3 id="${id}-timers">Timers</h3>${timerTable(report, `${id}-name ${id}-timers`)}`}
</section>
`
}

function summary({ missing }: DefinitionReport): Markup {
  const { states, transitions, guards, timers } = missing
  const counts = Object.entries({ states, transitions, guards, timers }).filter(([, names]) => names.length > 0)
  if (counts.length === 0) return html`<span class="complete">✓ nothing missing but messages never tried</span>`
  return html`<span class="soft">missing: ${counts.map(([what, names]) => `${names.length} ${names.length === 1 ? what.slice(0, -1) : what}`).join(', ')}</span>`
}
