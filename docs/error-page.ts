// error-page.ts: writes the page of error codes from the catalogue.
import { catalogue } from '@interstate/core'

/** The page of error codes. */
export function errorPage(): string {
  const entries = Object.entries(catalogue).sort(([one], [two]) => (one < two ? -1 : 1))
  const sections = entries.map(([code, { retryable, remedy }]) => {
    const again = retryable ? 'The same call may succeed later.' : 'The same call will fail again.'
    return `## ${code}\n\n${remedy}\n\n*${again}*`
  })
  return `${head}\n\n${sections.join('\n\n')}\n`
}

const head = `<!-- Written by \`npm run docs\` from packages/core/src/errors.ts. Edit that instead. -->

# Error codes

Everything that Interstate throws is an [\`InterstateError\`](api/core.md#interstateerror). Branch on its \`code\`: codes are
permanent, texts are not. \`details\` says what the error is about, as data; \`cause\` keeps what lay beneath;
\`retryable\` tells whether the same call may succeed later without a change by a person.`
