// query-tokens.ts: a query's text, cut into words.
import { badRequest, notImplemented } from './exchange.ts'

export type QueryToken =
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'parameter'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'sign'; readonly text: string }

const shapes =
  /\s+|(?<word>[A-Za-z_][A-Za-z0-9_]*)|(?<parameter>@[A-Za-z_][A-Za-z0-9_]*)|(?<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?<sign><=|>=|<>|!=|[=<>(),.*[\]])/y

export function tokensOf(query: string): readonly QueryToken[] {
  const tokens: QueryToken[] = []
  shapes.lastIndex = 0
  while (shapes.lastIndex < query.length) {
    const at = shapes.lastIndex
    const groups = shapes.exec(query)?.groups
    if (groups === undefined) throw notImplemented(`this part of a query: ${query.slice(at, at + 40)}`)
    const { word, parameter, number, text, sign } = groups
    if (word !== undefined) tokens.push({ kind: 'word', text: word })
    else if (parameter !== undefined) tokens.push({ kind: 'parameter', text: parameter })
    else if (number !== undefined) tokens.push({ kind: 'number', value: Number(number) })
    else if (text !== undefined) tokens.push({ kind: 'text', text: unquoted(text) })
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign })
  }
  return tokens
}

function unquoted(text: string): string {
  const inner = text.slice(1, -1)
  if (!inner.includes('\\')) return inner
  try {
    return JSON.parse(`"${inner.replaceAll("\\'", "'").replaceAll(/(?<!\\)"/g, '\\"')}"`) as string
  } catch {
    throw badRequest(`The text ${text} has an escape that is not one.`)
  }
}
