// diagram.ts: a story as a Mermaid sequence diagram.
import type { StoryStep } from './story.ts'

const mostSteps = 24

/** See the file head. */
export function diagram(steps: readonly StoryStep[]): string {
  const told = steps.slice(0, mostSteps)
  const names = [...new Set(told.flatMap(({ from, to }) => [from, to]))]
  const alias = (name: string): string => `p${names.indexOf(name)}`
  return [
    'sequenceDiagram',
    ...names.map((name) => `  participant ${alias(name)} as ${escaped(name)}`),
    ...told.map(({ from, to, what }) => `  ${alias(from)}->>${alias(to)}: ${escaped(what)}`),
  ].join('\n')
}

/** Semicolons and hashes end a statement; names are the user's own. */
function escaped(text: string): string {
  return text.replace(/[;#<>\n\r]/g, (sign) => `#${sign.charCodeAt(0)};`)
}
