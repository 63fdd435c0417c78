// pages.ts: the Markdown files of the repository.
import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder that all paths here start from. */
export const root: string = fileURLToPath(new URL('..', import.meta.url))

/** A file as the repository has it, by its path from the root. */
export function read(path: string): string {
  return readFileSync(`${root}${path}`, 'utf8')
}

/** Paths of all pages that a person reads, from the root. */
export function pages(): readonly string[] {
  const patterns = ['*.md', 'docs/**/*.md', 'packages/*/README.md', 'examples/*/README.md']
  return globSync(patterns, { cwd: root, exclude: ['**/node_modules/**'] }).sort()
}
