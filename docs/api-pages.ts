// api-pages.ts: writes the API reference from the sources: each export as it is declared, with what its comment says.
import { catalogue } from '@interstate/core'
import { findings } from '@interstate/testing'
import GithubSlugger from 'github-slugger'
import { type Declaration, declarationsOf, headOf } from './declarations.ts'

interface ApiPage {
  readonly path: string
  readonly title: string
  readonly intro: string
  readonly folder: string
  /** The file that lists the exports, where that isn't `src/index.ts`. */
  readonly entry?: string
  /** Source files in the order of the page. */
  readonly files: readonly string[]
}

const core = 'packages/core'
const forEntities = [
  'src/contract.ts',
  'src/entity.ts',
  'src/effect.ts',
  'src/turn.ts',
  'src/idempotency.ts',
  'src/errors.ts',
  'src/address.ts',
  'src/envelope.ts',
  'src/analyse.ts',
  'src/finding.ts',
  'src/retry.ts',
  'src/routing.ts',
]

/** The pages of the API reference, by their path from the root. */
export function apiPages(): ReadonlyMap<string, string> {
  const plans = plan()
  const written = plans.map((page) => [page.path, write(page)] as const)
  return new Map([...written, ['docs/reference/api/README.md', overview(plans)]])
}

function plan(): readonly ApiPage[] {
  const rest = filesOf(core).filter((file) => !forEntities.includes(file))
  const packages = ['runtime', 'store-sqlite', 'store-redis', 'store-memory', 'testing'].map((name) => ({
    path: `docs/reference/api/${name}.md`,
    title: `@interstate/${name}`,
    intro: '',
    folder: `packages/${name}`,
    files: inOrder(filesOf(`packages/${name}`)),
  }))
  const forDrivers = 'src/stores.ts'
  return [
    {
      path: 'docs/reference/api/core.md',
      title: '@interstate/core',
      intro:
        'For those who write contracts, aggregates and sagas. What only stores and hosts need is on [a page of its own](core-for-hosts.md).',
      folder: core,
      files: forEntities,
    },
    ...packages,
    {
      path: 'docs/reference/api/testing-stores.md',
      title: '@interstate/testing/stores',
      intro: 'For those who write a store driver. What tests entities is on [the page of testing](testing.md).',
      folder: 'packages/testing',
      entry: forDrivers,
      files: filesOf('packages/testing', forDrivers),
    },
    {
      path: 'docs/reference/api/core-for-hosts.md',
      title: '@interstate/core for stores and hosts',
      intro: 'For those who write a store driver or a host. What entities need is on [the page of core](core.md).',
      folder: core,
      files: rest,
    },
  ]
}

function filesOf(folder: string, entry?: string): readonly string[] {
  return [...new Set(declarationsOf(folder, entry).map(({ file }) => file))]
}

/** What most readers look for comes first. */
function inOrder(files: readonly string[]): readonly string[] {
  const first = ['src/index.ts', 'src/host.ts', 'src/keeper.ts', 'src/signals.ts', 'src/virtual-env.ts']
  const rank = (file: string): number => (first.indexOf(file) + first.length + 1) % (first.length + 1)
  return files.toSorted((one, two) => rank(one) - rank(two))
}

const notice = '<!-- Written by `npm run docs` from the sources. Edit those instead. -->'

function overview(plans: readonly ApiPage[]): string {
  const lists = plans.map((plan) => {
    const page = plan.path.split('/').at(-1)
    const links = contentsOf(plan).entries.map(({ name, anchor }) => `[\`${name}\`](${page}#${anchor})`)
    return `## [${plan.title}](${page})\n\n${links.join(' · ')}\n`
  })
  return `${notice}\n\n# API\n\nEach export as it is declared, with what its comment says.\n\n${lists.join('\n')}`
}

interface Entry extends Declaration {
  readonly anchor: string
}

interface Contents {
  readonly sections: readonly { readonly head: string; readonly entries: readonly Entry[] }[]
  readonly entries: readonly Entry[]
}

/** What stands on a page, with the anchors that GitHub will give its headings. */
function contentsOf({ title, folder, entry, files }: ApiPage): Contents {
  const slugger = new GithubSlugger()
  slugger.slug(title)
  const declarations = declarationsOf(folder, entry)
  const sections = files.map((file) => {
    const name = file.split('/').at(-1) ?? ''
    if (name !== 'index.ts') slugger.slug(name)
    const own = declarations.filter((each) => each.file === file)
    const sorted = own.toSorted((one, two) => Number(two.isValue) - Number(one.isValue))
    return {
      head: name === 'index.ts' ? '' : sectionHead(folder, file, name),
      entries: sorted.map((each) => ({ ...each, anchor: slugger.slug(each.name) })),
    }
  })
  return { sections, entries: sections.flatMap(({ entries }) => entries) }
}

function sectionHead(folder: string, file: string, name: string): string {
  const [sentence = ''] = headOf(folder, file).split(/(?<=\.)\s/)
  return `## [${name}](../../../${folder}/${file})\n\n${capital(sentence.replaceAll('\n', ' '))}\n`
}

function write(page: ApiPage): string {
  const { sections, entries } = contentsOf(page)
  const anchors = new Map(entries.map(({ name, anchor }) => [name, anchor]))
  const texts = sections.map(({ head, entries }) =>
    [head, ...entries.map((entry) => entryText(entry, anchors))].filter((text) => text !== '').join('\n'),
  )
  return [notice, `# ${page.title}`, ...(page.intro === '' ? [] : [page.intro]), texts.join('\n')].join('\n\n')
}

function entryText({ name, code, doc }: Declaration, anchors: ReadonlyMap<string, string>): string {
  const { summary, details, examples } = parseDoc(doc)
  const blocks = [summary, `\`\`\`ts\n${code}\n\`\`\``, details.join('\n'), ...examples].filter((block) => block !== '')
  return `### ${name}\n\n${blocks.map((block) => linked(block, anchors)).join('\n\n')}\n`
}

interface Parsed {
  readonly summary: string
  /** Parameters, result, errors: a list item each. */
  readonly details: readonly string[]
  readonly examples: readonly string[]
}

function parseDoc(doc: string): Parsed {
  const [summary = '', ...tags] = doc.split(/(?:^|\s)(?=@(?:param|typeParam|returns|throws|example|experimental)\b)/)
  const of = (tag: string): readonly string[] =>
    tags.filter((text) => text.startsWith(`@${tag} `) || text.startsWith(`@${tag}\n`)).map((text) => body(text, tag))
  const details = [
    ...of('typeParam').map(parameter),
    ...of('param').map(parameter),
    ...of('returns').map((text) => `- returns ${text}`),
    ...of('throws').map((text) => `- throws ${text}`),
  ].map((text) => text.replaceAll('\n', '\n  '))
  return { summary: summary.trim(), details, examples: of('example').map((text) => `Example:\n\n${text}`) }
}

const body = (text: string, tag: string): string => text.slice(tag.length + 1).trim()

function parameter(text: string): string {
  const [name, ...rest] = text.split(/\s+-\s+/)
  return `- \`${name}\`: ${rest.join(' - ')}`
}

/** Turns `{@link X}` and error codes into links, outside of code blocks. */
function linked(block: string, anchors: ReadonlyMap<string, string>): string {
  if (block.startsWith('```')) return block.replaceAll(/\{@link ([\w.]+)\}/g, '`$1`')
  return block
    .replaceAll(/\{@link ([\w.]+)\}/g, (_, name: string) =>
      anchors.has(name) ? `[\`${name}\`](#${anchors.get(name)})` : `\`${name}\``,
    )
    .replaceAll(/`([A-Z]+(?:_[A-Z]+)+)`/g, (text, code: string) => {
      const page = Object.hasOwn(catalogue, code) ? 'errors' : Object.hasOwn(findings, code) ? 'findings' : undefined
      return page === undefined ? text : `[${text}](../${page}.md#${code.toLowerCase()})`
    })
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
