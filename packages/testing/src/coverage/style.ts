// style.ts: how the page of a coverage looks. Colour is never the only sign: marks and words say the same.

export const style = `
:root {
  color-scheme: light dark;
  --paper: #f6f7f9; --card: #ffffff; --ink: #16191f; --soft: #5a6270; --line: #d5d9e0; --faint: #eceff3;
  --yes: #136436; --yes-paper: #e6f5ec; --no: #b3261e; --no-paper: #fdecea; --some: #8a5a00; --some-paper: #fff4dc;
  --pass: #3a55a4; --pass-paper: #e9eefc; --accent: #3346b8; --edge: #00000038;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #101216; --card: #191c22; --ink: #e8eaee; --soft: #a2a9b6; --line: #343a45; --faint: #22262e;
    --yes: #6fd39a; --yes-paper: #14301f; --no: #ff9d94; --no-paper: #3a1a18; --some: #f0c063; --some-paper: #33270f;
    --pass: #a9bcff; --pass-paper: #1c2544; --accent: #a9b6ff; --edge: #ffffff30;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-block-start: 1rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif;
}
main, header, footer { max-inline-size: 78rem; margin-inline: auto; padding-inline: clamp(0.75rem, 3vw, 2rem); }
header { padding-block: 2rem 0.5rem; }
footer { padding-block: 1rem 3rem; color: var(--soft); }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 0.25rem; overflow-wrap: anywhere; }
h2, h2.name { font-size: 1.35rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1.75rem 0 0.6rem; }
p { margin: 0.25rem 0; }
code, .name { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, 'Liberation Mono', monospace; font-size: 0.92em; }
a { color: var(--accent); text-underline-offset: 0.15em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.soft { color: var(--soft); }
.spoken { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; inset-inline-start: -100vw; }
.skip:focus { inset-inline-start: 1rem; inset-block-start: 0.5rem; background: var(--card); padding: 0.5rem 1rem; z-index: 2; }

.definition { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: clamp(0.9rem, 2.5vw, 1.6rem); margin-block: 1.5rem; }
.definition > header { padding: 0; margin: 0; display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.25rem 0.75rem; }
.badge { font-size: 0.8rem; color: var(--soft); border: 1px solid var(--line); border-radius: 99px; padding: 0.05rem 0.6rem; }

.scroll { position: relative; inline-size: fit-content; max-inline-size: 100%; overflow-x: auto; border: 1px solid var(--line); border-radius: 10px; background:
  linear-gradient(to left, var(--card) 40%, transparent) right / 2.5rem 100% no-repeat local,
  linear-gradient(to left, var(--edge), transparent) right / 0.9rem 100% no-repeat scroll,
  var(--card); }
table { border-collapse: separate; border-spacing: 0; font-variant-numeric: tabular-nums; }
th, td { padding: 0.4rem 0.65rem; text-align: start; vertical-align: middle; border-block-end: 1px solid var(--line); }
tbody tr:last-child > *, tfoot tr:last-child > * { border-block-end: 0; }
thead th { font-size: 0.82rem; font-weight: 600; color: var(--soft); background: var(--faint); white-space: nowrap; }
tbody th { font-weight: 500; }
tfoot > tr > * { border-block-start: 2px solid var(--line); font-weight: 600; }
.overview { inline-size: 100%; }
.overview td { min-inline-size: 8.5rem; }
header > .scroll { inline-size: auto; }
.grid th:first-child, .overview th:first-child { position: sticky; inset-inline-start: 0; background: var(--card); z-index: 1; border-inline-end: 1px solid var(--line); }
.grid thead th:first-child, .overview thead th:first-child { background: var(--faint); }
.grid th:first-child { min-inline-size: 8rem; max-inline-size: 17rem; white-space: normal; overflow-wrap: anywhere; }
.grid thead small { display: block; font-weight: 400; }
.grid td { text-align: center; border-inline-start: 1px solid var(--faint); white-space: nowrap; min-inline-size: 5rem; padding-inline: 0.35rem; }
.grid thead th:not(:first-child) { text-align: center; }

.measure { display: grid; gap: 0.2rem; }
.measure b { font-weight: 600; }
.measure small { color: var(--soft); font-size: 0.85em; }
.bar { display: block; block-size: 5px; border-radius: 99px; background: var(--line); overflow: hidden; }
.bar > i { display: block; block-size: 100%; background: var(--no); border-radius: 99px; }
.bar.most > i { background: var(--some); }
.bar.all > i { background: var(--yes); }

.fate { display: inline-block; border-radius: 6px; padding: 0.02rem 0.4rem; margin: 1px; font-size: 0.9em; }
.fate.handled { color: var(--yes); background: var(--yes-paper); }
.fate.ignored { color: var(--pass); background: var(--pass-paper); }
.fate.refused { color: var(--some); background: var(--some-paper); }
.fate.never { color: var(--soft); }
td.never { background: repeating-linear-gradient(135deg, transparent 0 5px, var(--faint) 5px 6px); }
.legend { display: flex; flex-wrap: wrap; gap: 0.3rem 1.1rem; margin: 0.5rem 0 0; padding: 0; list-style: none; font-size: 0.88rem; color: var(--soft); }
.legend .fate { margin-inline-end: 0.15rem; }

.states, .transitions { list-style: none; margin: 0; padding: 0; }
.states { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17.5rem), 1fr)); gap: 0.75rem; align-items: start; }
.state { border: 1.5px solid var(--yes); border-radius: 10px; background: var(--card); overflow: clip; }
.state.wide { grid-column: 1 / -1; }
.state.final { border-style: double; border-width: 4px; }
.state.missed { border-color: var(--no); border-style: dashed; border-width: 1.5px; }
.state:target { box-shadow: 0 0 0 3px var(--accent); }
.state > .title { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 0.5rem; margin: 0; padding: 0.4rem 0.7rem; background: var(--yes-paper); }
.state.missed > .title { background: var(--no-paper); }
.state > .title .name { font-weight: 650; overflow-wrap: anywhere; }
.state > .title .count { margin-inline-start: auto; }
.kind { font-size: 0.78rem; color: var(--soft); }
.count { font-size: 0.82rem; color: var(--yes); white-space: nowrap; font-variant-numeric: tabular-nums; }
.missed > .title .count, .transition.missed .count, .count.missed { color: var(--no); font-weight: 600; }
.about { padding: 0.35rem 0.7rem 0; color: var(--soft); font-size: 0.88rem; overflow-wrap: anywhere; }
.state > .states { padding: 0.7rem; }
.state.parallel > .states > .state { border-inline-style: dotted; }
.transition { display: grid; grid-template-columns: auto 1fr auto; gap: 0 0.5rem; padding: 0.3rem 0.7rem; align-items: baseline; }
.transition + .transition { border-block-start: 1px solid var(--faint); }
.transition.missed { background: var(--no-paper); }
.transition .mark { color: var(--yes); font-weight: 700; }
.transition.missed .mark { color: var(--no); }
.transition .what { overflow-wrap: anywhere; min-inline-size: 0; }
.transition .event { font-weight: 600; }
.transition .guard { display: block; font-size: 0.86rem; color: var(--soft); }
.transition .about { display: block; padding: 0; }
.way { white-space: nowrap; color: var(--yes); }
.way.missed { color: var(--no); font-weight: 600; }
.only { display: inline-flex; gap: 0.5rem; align-items: center; cursor: pointer; padding-block: 0.4rem; }
.only input { inline-size: 1.1rem; block-size: 1.1rem; accent-color: var(--accent); }
body:has(#only:checked) .whole { display: none; }
.complete { color: var(--yes); }
@media (max-width: 34rem) {
  body { font-size: 14px; }
  main, header, footer { padding-inline: 0.6rem; }
  .state > .states { padding: 0.5rem; }
  .grid th:first-child { max-inline-size: 10rem; }
}
@media print { .skip, .only { display: none; } .definition { break-inside: avoid-page; } }
`
