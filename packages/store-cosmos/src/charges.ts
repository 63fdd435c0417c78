// charges.ts: what was asked of the service and what it charged, by kind of call.

/** `settle`: reads that find out what became of a write. */
export type Kind = 'read' | 'create' | 'replace' | 'batch' | 'query' | 'settle' | 'probe'

/** What one kind of call came to since the start. */
export interface Charge {
  /** Sent, each attempt counted, and each that the client says it has repeated. */
  readonly requests: number
  /** Of all answers: a lost answer took its charge with it. */
  readonly requestUnits: number
  /** Requests answered with 429. */
  readonly throttled: number
  /** Requests whose answer never came. */
  readonly unheard: number
}

/** See the file head. */
export type Charges = Readonly<Record<Kind, Charge>>

const kinds: readonly Kind[] = ['read', 'create', 'replace', 'batch', 'query', 'settle', 'probe']

/** Adds up. */
export class Ledger {
  readonly #lines = new Map<Kind, { -readonly [name in keyof Charge]: number }>(
    kinds.map((kind) => [kind, { requests: 0, requestUnits: 0, throttled: 0, unheard: 0 }]),
  )

  note(kind: Kind, more: Partial<Charge>): void {
    const line = this.#lines.get(kind)
    if (line === undefined) return
    line.requests += more.requests ?? 0
    line.requestUnits += more.requestUnits ?? 0
    line.throttled += more.throttled ?? 0
    line.unheard += more.unheard ?? 0
  }

  get charges(): Charges {
    const entries = [...this.#lines].map(([kind, line]) => [kind, { ...line }])
    return Object.fromEntries(entries) as Charges
  }
}
