import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { anchorsOf, deadLinks, linksOf } from '../links.ts'
import { pages, read } from '../pages.ts'
import { embed, strays } from '../snippets.ts'
import { stale } from '../write.ts'

describe('the pages', () => {
  test('show what is in the sources: snippets and reference are up to date (npm run docs)', () => {
    expect([...stale().keys()]).toEqual([])
  })

  test('have no link that leads nowhere', () => {
    expect(deadLinks(pages())).toEqual([])
  })

  test('show no TypeScript that does not run in CI', () => {
    const handWritten = pages().filter((path) => !path.startsWith('docs/reference/api/'))
    expect(handWritten.flatMap((path) => strays(read(path)).map((line) => `${path}: ${line}`))).toEqual([])
  })

  test('cite for each guarantee tests that name its number', () => {
    const path = 'docs/explanation/guarantees.md'
    const sections = read(path)
      .split(/^## (?=G\d+ )/m)
      .slice(1)
    const wrong = sections.flatMap((section) => {
      const number = /^G\d+/.exec(section)?.[0] ?? ''
      const cited = linksOf(section).filter((link) => /\/(test|store-contract)\//.test(link))
      const texts = cited.map((link) => [link, read(join(dirname(path), link))] as const)
      return texts.filter(([, text]) => !new RegExp(`\\b${number}\\b`).test(text)).map(([link]) => `${number}: ${link}`)
    })
    expect(sections).toHaveLength(18)
    expect(wrong).toEqual([])
  })

  test('are all reachable from the index', () => {
    const seen = new Set<string>()
    const visit = (path: string): void => {
      if (seen.has(path)) return
      seen.add(path)
      for (const link of linksOf(read(path))) {
        if (/^[a-z]+:|^#/.test(link) || !/\.md(#|$)/.test(link)) continue
        visit(new URL(link.split('#')[0] as string, `file:///${path}`).pathname.slice(1))
      }
    }
    visit('docs/README.md')
    expect(pages().filter((path) => path.startsWith('docs/') && !seen.has(path))).toEqual([])
  })
})

describe('a snippet', () => {
  const files: Record<string, string> = {
    'a.ts':
      '// a.ts: a file.\n\n// #region one\nif (true) {\n  // #region two\n  go()\n  // #endregion\n}\n// #endregion\n',
  }
  const page = (source: string): string => `<!-- snippet: ${source} -->\n\`\`\`ts\nold\n\`\`\`\n`
  const lines = (source: string): readonly string[] => embed(page(source), (path) => files[path] ?? '').split('\n')

  test('is its region, without markers and indentation', () => {
    expect(lines('a.ts#two').slice(2, -2)).toEqual(['go()'])
    expect(lines('a.ts#one').slice(2, -2)).toEqual(['if (true) {', '  go()', '}'])
  })

  test('without a region is the whole file but for its opening comment', () => {
    expect(lines('a.ts').slice(2, -2)).toEqual(['if (true) {', '  go()', '}'])
  })

  test('of a region that does not exist is an error', () => {
    expect(() => lines('a.ts#three')).toThrow('a.ts has no region "three"')
  })
})

test('a heading has the anchor that GitHub gives it', () => {
  expect([...anchorsOf('# One `two` & three\n\n## [Four](five.md)\n\n## One `two` & three\n')]).toEqual([
    'one-two--three',
    'four',
    'one-two--three-1',
  ])
})
