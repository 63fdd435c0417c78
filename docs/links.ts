// links.ts: finds links between pages that lead nowhere. Links to other sites are not followed.
import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import GithubSlugger from 'github-slugger'
import { lexer, type Token } from 'marked'
import { read, root } from './pages.ts'

/** Links of these pages that lead nowhere, as `page: link`. */
export function deadLinks(pages: readonly string[]): readonly string[] {
  return pages.flatMap((page) =>
    linksOf(read(page))
      .filter((link) => !isOutside(link) && leadsNowhere(page, link))
      .map((link) => `${page}: ${link}`),
  )
}

/** The target of every link and image of a page. */
export function linksOf(page: string): readonly string[] {
  return tokensOf(page).flatMap((token) => (token.type === 'link' || token.type === 'image' ? [token.href] : []))
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(page: string): ReadonlySet<string> {
  const slugger = new GithubSlugger()
  const headings = tokensOf(page).filter(({ type }) => type === 'heading')
  return new Set(headings.map((heading) => slugger.slug(plain([heading]))))
}

/** All tokens of a page, also those within others. */
function tokensOf(page: string): readonly Token[] {
  const found: Token[] = []
  const visit = (tokens: readonly Token[]): void => {
    for (const token of tokens) {
      found.push(token)
      visit(childrenOf(token))
    }
  }
  visit(lexer(page))
  return found
}

function childrenOf(token: Token): readonly Token[] {
  if (token.type === 'list') return token.items
  if (token.type !== 'table') return ('tokens' in token && token.tokens) || []
  const cells = [...token.header, ...token.rows.flat()] as readonly { readonly tokens: readonly Token[] }[]
  return cells.flatMap(({ tokens }) => tokens)
}

function leadsNowhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : normalize(join(dirname(page), decodeURI(path)))
  if (!existsSync(join(root, target))) return true
  return anchor !== undefined && target.endsWith('.md') && !anchorsOf(read(target)).has(anchor)
}

function isOutside(link: string): boolean {
  return /^[a-z]+:/.test(link)
}

/** A heading as text, without links and code marks. */
function plain(tokens: readonly Token[]): string {
  return tokens
    .map((token) => {
      const children = childrenOf(token)
      if (children.length > 0) return plain(children)
      return 'text' in token ? token.text : ''
    })
    .join('')
}
