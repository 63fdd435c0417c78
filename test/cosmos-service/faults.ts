// faults.ts: trouble on demand: what goes wrong with which request, decided before it is served.
// What a status says about the write is the documentation's (learn.microsoft.com/azure/cosmos-db/conceptual-resilient-sdk-applications):
//   F1  410, 429, 449 and 503 were not processed.
//   F2  408, 500, 502 and 504 tell nothing: a test says whether the write took effect.
import { tooManyRequests } from './container.ts'
import { Refusal } from './exchange.ts'
import type { ItemOperation } from './routes.ts'

/** The request that a fault may befall. */
export interface Call {
  readonly operation: ItemOperation
  readonly database: string
  readonly container: string
  /** The header as sent, like `["7","payment/42"]`. */
  readonly partitionKey: string | undefined
  readonly id: string | undefined
}

/** What goes wrong. */
export type Fault =
  /** The connection breaks before the service has the request. */
  | { readonly kind: 'drop request' }
  /** The connection breaks after the request took effect. */
  | { readonly kind: 'drop answer' }
  /** The request takes effect and nothing is ever heard: the client runs into its own timeout. */
  | { readonly kind: 'withhold answer' }
  /** The answer comes late. */
  | { readonly kind: 'delay answer'; readonly ms: number }
  /** The request waits that long before it is served. */
  | { readonly kind: 'delay request'; readonly ms: number }
  | { readonly kind: 'throttle'; readonly retryAfterMs: number }
  | { readonly kind: 'refuse'; readonly status: 410 | 449 | 503; readonly substatus?: number }
  | { readonly kind: 'fail'; readonly status: 408 | 500 | 502 | 504; readonly processed: boolean }
  /** A replica that is this far behind answers, at the levels that allow it. */
  | { readonly kind: 'lag'; readonly ms: number }
  /** 404 with substatus 1002, whatever the token. */
  | { readonly kind: 'lose session' }
  /** A batch over 5 s is given up, with 408 and nothing written. */
  | { readonly kind: 'slow execution'; readonly ms: number }

/** What befalls which requests, how often. */
export interface FaultRule {
  readonly fault: Fault
  /** Default: every operation on items. */
  readonly on?: (call: Call) => boolean
  /** How many requests it befalls; default 1. */
  readonly times?: number
  /** Of those that it could befall; default 1. */
  readonly probability?: number
}

/** See the file head. */
export class Faults {
  readonly #random: () => number
  #rules: { rule: FaultRule; left: number }[] = []
  /** How many faults there were. */
  count = 0

  constructor(random: () => number) {
    this.#random = random
  }

  /** Adds a rule; the first that fits decides. Gives a function that takes it away. */
  inject(rule: FaultRule): () => void {
    const entry = { rule, left: rule.times ?? 1 }
    this.#rules.push(entry)
    return () => {
      this.#rules = this.#rules.filter((other) => other !== entry)
    }
  }

  clear(): void {
    this.#rules = []
  }

  /** The fault of this request, which is used up by it. */
  take(call: Call): Fault | undefined {
    for (const entry of this.#rules) {
      const { on, probability = 1, fault } = entry.rule
      if (entry.left <= 0 || !(on?.(call) ?? true)) continue
      if (probability < 1 && this.#random() >= probability) continue
      entry.left -= 1
      this.count += 1
      if (entry.left <= 0) this.#rules = this.#rules.filter((other) => other !== entry)
      return fault
    }
    return undefined
  }
}

/** What is answered without serving the request, if anything. */
export function refusalBy(fault: Fault | undefined): Refusal | undefined {
  switch (fault?.kind) {
    case 'throttle':
      return tooManyRequests(fault.retryAfterMs)
    case 'refuse':
      return new Refusal(fault.status, `The request was not processed (${fault.status}).`, {
        ...(fault.substatus === undefined ? {} : { substatus: fault.substatus }),
      })
    case 'fail':
      return fault.processed ? undefined : failureOf(fault.status)
    default:
      return undefined
  }
}

export function failureOf(status: number): Refusal {
  return new Refusal(status, `The request failed (${status}); it says nothing about a write.`)
}
