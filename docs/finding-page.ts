// finding-page.ts: writes the page of what the testing kit finds, from its catalogue.
import { findings } from '@interstate/testing'

/** The page of findings. */
export function findingPage(): string {
  const entries = Object.entries(findings).sort(([one], [two]) => (one < two ? -1 : 1))
  return `${head}\n\n${entries.map(([code, remedy]) => `## ${code}\n\n${remedy}`).join('\n\n')}\n`
}

const head = `<!-- Written by \`npm run docs\` from packages/testing/src/failure/catalogue.ts. Edit that instead. -->

# What the testing kit finds

Everything that the kit throws is a [\`WorldError\`](api/testing.md#worlderror). Branch on its \`code\`: codes are permanent,
texts are not. Its \`finding\` names what it is about, and where it is meant to be so, \`world.accept(finding)\` lets it pass.`
