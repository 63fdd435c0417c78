// declarations.ts: what a package exports, as its sources declare it. Exports state their types (isolatedDeclarations), so
// reading the files is enough: no type checker runs.
import { parse } from '@babel/parser'
import { read } from './pages.ts'

/** One exported name. */
export interface Declaration {
  readonly name: string
  /** Whether it exists at run time. */
  readonly isValue: boolean
  /** The source file, as `src/contract.ts`. */
  readonly file: string
  /** The declaration without bodies and private parts. */
  readonly code: string
  /** The text of its TSDoc comment. */
  readonly doc: string
}

// The parser's own types are a union of some 250 nodes; these few fields are all that is looked at.
interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly declaration?: Node | null
  readonly declarations?: readonly Node[]
  readonly source?: { readonly value: string } | null
  readonly specifiers?: readonly { readonly local: { readonly name: string } }[]
  readonly id?: (Node & { readonly name: string }) | null
  readonly key?: Node & { readonly name?: string }
  readonly accessibility?: string
  readonly body?: Node | readonly Node[] | null
  readonly value?: Node | null
  readonly init?: Node | null
  readonly typeAnnotation?: Node | null
}
interface Comment {
  readonly value: string
  readonly start: number
  readonly end: number
}

/**
 * The exports of a package in the order of the file that lists them.
 *
 * @param entry - By default its `index.ts`.
 */
export function declarationsOf(folder: string, entry = 'src/index.ts'): readonly Declaration[] {
  const statements = statementsOf(`${folder}/${entry}`)
  const exported = statements.nodes.filter(({ type }) => type === 'ExportNamedDeclaration')
  return exported.flatMap((node) => {
    if (!node.source?.value.startsWith('./')) return ownDeclaration(statements, node, entry)
    const file = `src/${node.source.value.replace('./', '')}`
    const names = new Set(node.specifiers?.map(({ local }) => local.name))
    const source = statementsOf(`${folder}/${file}`)
    return source.nodes.flatMap((each) => ownDeclaration(source, each, file)).filter(({ name }) => names.has(name))
  })
}

/** What a source file says of itself in its opening comment. */
export function headOf(folder: string, file: string): string {
  const lines = read(`${folder}/${file}`).split('\n')
  const head = lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith('//')),
  )
  return head
    .map((line) => line.replace(/^\/\/ ?/, ''))
    .join('\n')
    .replace(/^[\w./@-]+: /, '')
}

/** The members of a union type, each with its comment. */
export function unionOf(path: string, name: string): readonly { readonly code: string; readonly doc: string }[] {
  const source = statementsOf(path)
  const alias = source.nodes.map(({ declaration }) => declaration).find((node) => node?.id?.name === name)
  const union = alias?.typeAnnotation as (Node & { readonly types: readonly Node[] }) | undefined
  return (union?.types ?? []).map((node) => ({
    code: source.text.slice(node.start, node.end),
    doc: docOf(source, node),
  }))
}

interface Source {
  readonly text: string
  readonly nodes: readonly Node[]
  readonly comments: readonly Comment[]
}

function statementsOf(path: string): Source {
  const text = read(path)
  const { program, comments } = parse(text, { sourceType: 'module', plugins: ['typescript'] })
  return {
    text,
    nodes: program.body as unknown as readonly Node[],
    comments: comments as unknown as readonly Comment[],
  }
}

function ownDeclaration(source: Source, node: Node, file: string): readonly Declaration[] {
  const declared = node.declaration
  const name = declared?.id?.name ?? declared?.declarations?.[0]?.id?.name
  if (declared === undefined || declared === null || name === undefined) return []
  const doc = docOf(source, node)
  const isValue = !declared.type.startsWith('TS')
  return doc.includes('@internal') ? [] : [{ name, isValue, file, code: codeOf(source, declared), doc }]
}

function codeOf(source: Source, node: Node): string {
  const { text } = source
  switch (node.type) {
    case 'FunctionDeclaration':
      return text
        .slice(node.start, (node.body as Node).start)
        .replace(/^async /, '')
        .trim()
    case 'ClassDeclaration':
      return classOf(source, node)
    case 'VariableDeclaration':
      return constantOf(source, node)
    case 'TSInterfaceDeclaration':
      return interfaceOf(source, node)
    default:
      return text.slice(node.start, node.end)
  }
}

function constantOf({ text }: Source, node: Node): string {
  const [declared = node] = node.declarations ?? []
  return text.slice(node.start, declared.init?.start ?? declared.end).replace(/\s*=\s*$/, '')
}

function interfaceOf(source: Source, node: Node): string {
  const { text } = source
  const hidden = ((node.body as Node).body as readonly Node[]).filter((each) =>
    docOf(source, each).includes('@internal'),
  )
  return hidden
    .reduce(
      (code, each) => code.replace(text.slice(commentOf(source, each)?.start ?? each.start, each.end), ''),
      text.slice(node.start, node.end),
    )
    .replace(/\n\s*\n(?=\s*})/g, '\n')
}

function classOf(source: Source, node: Node): string {
  const { text } = source
  const body = node.body as Node
  const members = (body.body as readonly Node[])
    .filter((member) => isPublic(source, member))
    .map((member) => {
      const comment = commentOf(source, member)
      const doc = comment === undefined ? '' : `${text.slice(comment.start, comment.end)}\n  `
      return `  ${doc}${memberOf(text, member)}`
    })
  const head = text.slice(node.start, body.start).trim()
  return members.length === 0 ? head : `${head} {\n${members.join('\n')}\n}`
}

function memberOf(text: string, member: Node): string {
  if (member.type === 'ClassMethod')
    return text
      .slice(member.start, (member.body as Node).start)
      .replace(/^async /, '')
      .trim()
  return text.slice(member.start, member.value?.start ?? member.end).replace(/\s*=\s*$/, '')
}

function isPublic(source: Source, member: Node): boolean {
  const { type, key, accessibility } = member
  if (type === 'ClassPrivateProperty' || type === 'ClassPrivateMethod' || accessibility !== undefined) return false
  return key?.type === 'Identifier' && !docOf(source, member).includes('@internal')
}

/** The TSDoc comment that stands right before a node; before the bar, where it is a member of a union. */
function commentOf({ text, comments }: Source, { start }: Node): Comment | undefined {
  const last = comments.findLast(({ end }) => end <= start)
  if (last === undefined || !last.value.startsWith('*')) return undefined
  return /^[\s|]*$/.test(text.slice(last.end, start)) ? last : undefined
}

function docOf(source: Source, node: Node): string {
  const lines = commentOf(source, node)?.value.slice(1).split('\n') ?? []
  return lines
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim()
}
