// query-language.ts: the part of the query language that is understood (learn.microsoft.com/azure/cosmos-db/nosql/query).
//   SELECT * | SELECT VALUE path | SELECT path [AS name], …   FROM c
//   WHERE … AND/OR/NOT, ( ), = != <> < <= > >=, IN, STARTSWITH, IS_DEFINED
//   ORDER BY path [ASC | DESC]   OFFSET n LIMIT m   and parameters.
// All else is not implemented, and says so.
import { badRequest, notImplemented } from './exchange.ts'
import type { Json } from './json.ts'
import { type QueryToken, tokensOf } from './query-tokens.ts'

export type Path = readonly (string | number)[]
export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>='
export type Operand = { readonly path: Path } | { readonly value: Json }

export type Condition =
  | { readonly kind: 'and' | 'or'; readonly left: Condition; readonly right: Condition }
  | { readonly kind: 'not'; readonly inner: Condition }
  | { readonly kind: 'compare'; readonly by: Comparison; readonly left: Operand; readonly right: Operand }
  | { readonly kind: 'in'; readonly operand: Operand; readonly among: readonly Operand[] }
  | { readonly kind: 'startswith'; readonly operand: Operand; readonly prefix: Operand }
  | { readonly kind: 'is_defined'; readonly path: Path }

/** What each row is made of. */
export type Projection =
  | { readonly kind: 'item' }
  | { readonly kind: 'value'; readonly path: Path }
  | { readonly kind: 'properties'; readonly properties: readonly { readonly name: string; readonly path: Path }[] }

export interface Query {
  readonly select: Projection
  readonly where: Condition | undefined
  readonly orderBy: { readonly path: Path; readonly descending: boolean } | undefined
  readonly offset: number
  readonly limit: number
}

export function parsed(text: string, parameters: Readonly<Record<string, Json>>): Query {
  return new Parser(tokensOf(text), parameters).query()
}

class Parser {
  readonly #tokens: readonly QueryToken[]
  readonly #parameters: Readonly<Record<string, Json>>
  #at = 0
  #alias = ''

  constructor(tokens: readonly QueryToken[], parameters: Readonly<Record<string, Json>>) {
    this.#tokens = tokens
    this.#parameters = parameters
    // The alias is used before it is named.
    const from = tokens.findIndex((token) => token.kind === 'word' && token.text.toUpperCase() === 'FROM')
    const alias = tokens[from + 1]
    if (from < 0 || alias?.kind !== 'word') throw notImplemented('queries without FROM and an alias.')
    this.#alias = alias.text
  }

  query(): Query {
    this.#expect('SELECT')
    const select = this.#projection()
    this.#expect('FROM')
    this.#at += 1
    const where = this.#take('WHERE') ? this.#or() : undefined
    const orderBy = this.#take('ORDER') ? this.#order() : undefined
    const [offset, limit] = this.#take('OFFSET') ? this.#window() : [0, Number.POSITIVE_INFINITY]
    const rest = this.#tokens[this.#at]
    if (rest !== undefined) throw notImplemented(`${shown(rest)} at this place of a query.`)
    return { select, where, orderBy, offset, limit }
  }

  #projection(): Projection {
    if (this.#takeSign('*')) return { kind: 'item' }
    for (const word of ['TOP', 'DISTINCT']) if (this.#take(word)) throw notImplemented(`${word} in a query.`)
    if (this.#take('VALUE')) return { kind: 'value', path: this.#path() }
    const properties: { name: string; path: Path }[] = []
    do {
      const path = this.#path()
      const last = path.at(-1)
      const name = this.#take('AS') ? this.#word() : last
      if (typeof name !== 'string') throw notImplemented('elements and whole items without a name in SELECT.')
      properties.push({ name, path })
    } while (this.#takeSign(','))
    return { kind: 'properties', properties }
  }

  #or(): Condition {
    let left = this.#and()
    while (this.#take('OR')) left = { kind: 'or', left, right: this.#and() }
    return left
  }

  #and(): Condition {
    let left = this.#not()
    while (this.#take('AND')) left = { kind: 'and', left, right: this.#not() }
    return left
  }

  #not(): Condition {
    if (this.#take('NOT')) return { kind: 'not', inner: this.#not() }
    if (this.#takeSign('(')) {
      const inner = this.#or()
      this.#expectSign(')')
      return inner
    }
    return this.#predicate()
  }

  #predicate(): Condition {
    if (this.#take('STARTSWITH')) {
      this.#expectSign('(')
      const operand = this.#operand()
      this.#expectSign(',')
      const prefix = this.#operand()
      this.#expectSign(')')
      return { kind: 'startswith', operand, prefix }
    }
    if (this.#take('IS_DEFINED')) {
      this.#expectSign('(')
      const path = this.#path()
      this.#expectSign(')')
      return { kind: 'is_defined', path }
    }
    const left = this.#operand()
    if (this.#take('IN')) return { kind: 'in', operand: left, among: this.#list() }
    if (this.#take('NOT')) {
      this.#expect('IN')
      return { kind: 'not', inner: { kind: 'in', operand: left, among: this.#list() } }
    }
    return { kind: 'compare', by: this.#comparison(), left, right: this.#operand() }
  }

  #list(): readonly Operand[] {
    const among: Operand[] = []
    this.#expectSign('(')
    do among.push(this.#operand())
    while (this.#takeSign(','))
    this.#expectSign(')')
    return among
  }

  #comparison(): Comparison {
    const token = this.#next()
    const text = token.kind === 'sign' ? token.text : ''
    if (text === '<>') return '!='
    if (text === '=' || text === '!=' || text === '<' || text === '<=' || text === '>' || text === '>=') return text
    throw notImplemented(`${shown(token)} as a comparison.`)
  }

  #operand(): Operand {
    const token = this.#tokens[this.#at]
    if (token?.kind === 'word' && token.text === this.#alias) return { path: this.#path() }
    const next = this.#next()
    if (next.kind === 'text') return { value: next.text }
    if (next.kind === 'number') return { value: next.value }
    if (next.kind === 'parameter') return { value: this.#parameter(next.text) }
    if (next.kind === 'word' && Object.hasOwn(constants, next.text)) return { value: constants[next.text] ?? null }
    throw notImplemented(`${shown(next)} as an operand.`)
  }

  #parameter(name: string): Json {
    const value = Object.hasOwn(this.#parameters, name) ? this.#parameters[name] : undefined
    if (value === undefined) throw badRequest(`The parameter ${name} has no value.`)
    return value
  }

  #path(): Path {
    const root = this.#word()
    if (root !== this.#alias) throw notImplemented(`${root} in a query: paths begin with ${this.#alias}.`)
    const path: (string | number)[] = []
    for (;;) {
      if (this.#takeSign('.')) path.push(this.#word())
      else if (this.#takeSign('[')) {
        const step = this.#next()
        if (step.kind === 'text') path.push(step.text)
        else if (step.kind === 'number') path.push(step.value)
        else throw badRequest(`${shown(step)} is not an index.`)
        this.#expectSign(']')
      } else return path
    }
  }

  #order(): { readonly path: Path; readonly descending: boolean } {
    this.#expect('BY')
    const path = this.#path()
    const descending = this.#take('DESC')
    if (!descending) this.#take('ASC')
    if (this.#takeSign(',')) throw notImplemented('ORDER BY several paths.')
    return { path, descending }
  }

  #window(): readonly [number, number] {
    const offset = this.#count()
    this.#expect('LIMIT')
    return [offset, this.#count()]
  }

  #count(): number {
    const operand = this.#operand()
    const value = 'value' in operand ? operand.value : undefined
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
      throw badRequest('OFFSET and LIMIT are whole numbers from 0.')
    }
    return value
  }

  #take(word: string): boolean {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'word' || token.text.toUpperCase() !== word) return false
    this.#at += 1
    return true
  }

  #takeSign(sign: string): boolean {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'sign' || token.text !== sign) return false
    this.#at += 1
    return true
  }

  #expect(word: string): void {
    if (!this.#take(word)) throw this.#unexpected(word)
  }

  #expectSign(sign: string): void {
    if (!this.#takeSign(sign)) throw this.#unexpected(sign)
  }

  #word(): string {
    const token = this.#next()
    if (token.kind !== 'word') throw notImplemented(`${shown(token)} where a name is expected.`)
    return token.text
  }

  #next(): QueryToken {
    const token = this.#tokens[this.#at]
    if (token === undefined) throw badRequest('The query ends too early.')
    this.#at += 1
    return token
  }

  #unexpected(wanted: string): Error {
    const token = this.#tokens[this.#at]
    return token === undefined
      ? badRequest(`The query ends where ${wanted} is expected.`)
      : notImplemented(`${shown(token)} where ${wanted} is expected.`)
  }
}

const constants: Readonly<Record<string, Json>> = { true: true, false: false, null: null }

function shown(token: QueryToken): string {
  return JSON.stringify(token.kind === 'number' ? token.value : token.text)
}
