// query.ts: the few questions that the container is asked, each along paths that it indexes.

/** One comparison. */
export interface Condition {
  /** A property that is indexed: see `indexed` of the options. */
  readonly property: string
  readonly is: '=' | '<' | '<=' | '>' | '>='
  readonly value: string | number
}

/** Which documents are asked for. */
export interface Query {
  /** Those of one shard; without it, of the whole container. */
  readonly shard?: number
  /** All of them must hold. */
  readonly where?: readonly Condition[]
  /** How many documents a page has at most. Default 100. */
  readonly most?: number
  /** Where the page before ended. */
  readonly continuation?: string | undefined
}

/** The question as the service takes it. A prefix of the key goes into WHERE: as an option it is not understood. */
export interface QueryText {
  readonly text: string
  readonly parameters: readonly { readonly name: string; readonly value: string | number }[]
  readonly most: number
  readonly continuation: string | undefined
}

/** @throws TypeError for a property that is not indexed: the service would read, and charge, every document. */
export function textOf({ shard, where = [], most = 100, continuation }: Query, indexed: readonly string[]): QueryText {
  const prefix: readonly Condition[] = shard === undefined ? [] : [{ property: 'shard', is: '=', value: shard }]
  const conditions = [...prefix, ...where]
  for (const { property } of where) {
    if (!indexed.includes(property)) throw new TypeError(`The container does not index ${JSON.stringify(property)}.`)
  }
  const clauses = conditions.map(({ property, is }, index) => `c.${property} ${is} @p${index}`)
  return {
    text: ['SELECT * FROM c', ...(clauses.length > 0 ? [`WHERE ${clauses.join(' AND ')}`] : [])].join(' '),
    parameters: conditions.map(({ value }, index) => ({ name: `@p${index}`, value })),
    most,
    continuation,
  }
}
