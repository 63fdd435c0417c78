// snippets.ts: puts regions of source files into pages, so that what a page shows is what runs in CI.
//
//   <!-- snippet: examples/guide/src/how-to/timers.ts#machine -->
//   ```ts
//   whatever stands here is replaced by the lines between `// #region machine` and `// #endregion`
//   ```
//
// Without a region the whole file is meant, but for its opening comment.

const slot = /<!-- snippet: (?<source>\S+) -->\n\n?```(?<language>\w*)\n(?:(?!```).*\n)*```/g

/** A page with all its snippets as they are in their files. @param read - Gives a file by its path from the root. */
export function embed(page: string, read: (path: string) => string): string {
  return page.replaceAll(slot, (_, source: string, language: string) => {
    const [path = '', region] = source.split('#')
    const text = read(path)
    const code = region === undefined ? whole(text) : regionOf(text, region, path)
    return `<!-- snippet: ${source} -->\n\`\`\`${language}\n${code}\n\`\`\``
  })
}

/** Lines of TypeScript on a page that come from nowhere. */
export function strays(page: string): readonly string[] {
  const fences = page.matchAll(/(?<before>.*)\n```ts\n(?<first>.*)/g)
  return [...fences].flatMap(({ groups }) =>
    groups?.before?.startsWith('<!-- snippet: ') ? [] : [groups?.first ?? ''],
  )
}

function whole(text: string): string {
  const lines = text.trimEnd().split('\n')
  const first = lines.findIndex((line) => !line.startsWith('//') && line !== '')
  return withoutMarkers(lines.slice(first)).join('\n')
}

function regionOf(text: string, name: string, path: string): string {
  const lines = text.split('\n')
  const begin = lines.findIndex((line) => line.trim() === `// #region ${name}`)
  if (begin === -1) throw new Error(`${path} has no region "${name}"`)
  const length = lengthOf(lines.slice(begin + 1))
  if (length === undefined) throw new Error(`region "${name}" of ${path} does not end`)
  return dedent(withoutMarkers(lines.slice(begin + 1, begin + 1 + length))).join('\n')
}

/** Lines up to the end of a region that has begun; regions may stand in regions. */
function lengthOf(lines: readonly string[]): number | undefined {
  let depth = 1
  for (const [index, line] of lines.entries()) {
    if (line.trim().startsWith('// #region')) depth += 1
    if (line.trim() === '// #endregion') depth -= 1
    if (depth === 0) return index
  }
  return undefined
}

function withoutMarkers(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => !/^\s*\/\/ #(region|endregion)/.test(line))
}

function dedent(lines: readonly string[]): readonly string[] {
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/))
  const indent = Math.min(...indents)
  const body = lines.map((line) => line.slice(indent))
  return body.slice(
    body.findIndex((line) => line !== ''),
    body.findLastIndex((line) => line !== '') + 1,
  )
}
