// write.ts: brings up to date what is generated in the pages: the reference and the snippets. `--check` only looks.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { apiPages } from './api-pages.ts'
import { errorPage } from './error-page.ts'
import { findingPage } from './finding-page.ts'
import { pages, read, root } from './pages.ts'
import { signalPage } from './signal-page.ts'
import { embed } from './snippets.ts'

/** Every page that is not as it should be, by its path, as it should be. */
export function stale(): ReadonlyMap<string, string> {
  const generated = new Map([
    ...apiPages(),
    ['docs/reference/errors.md', errorPage()],
    ['docs/reference/findings.md', findingPage()],
    ['docs/reference/signals.md', signalPage()],
  ])
  const quoting = pages()
    .filter((path) => !generated.has(path))
    .map((path) => [path, embed(read(path), read)] as const)
  return new Map([...generated, ...quoting].filter(([path, text]) => text !== present(path)))
}

function present(path: string): string | undefined {
  try {
    return read(path)
  } catch {
    return undefined
  }
}

if (import.meta.main) {
  const found = stale()
  const checks = process.argv.includes('--check')
  for (const [path, text] of found) {
    console.log(checks ? `stale: ${path}` : `written: ${path}`)
    if (checks) continue
    mkdirSync(dirname(`${root}${path}`), { recursive: true })
    writeFileSync(`${root}${path}`, text)
  }
  if (checks && found.size > 0) process.exitCode = 1
}
